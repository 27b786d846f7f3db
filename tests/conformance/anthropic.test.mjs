// @anthropic-ai/sdk on /v1/messages, which llama.cpp speaks itself.
import assert from "node:assert/strict";
import test from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { assertWeather, slotIsFree, url, weather } from "./asks.mjs";

const client = new Anthropic({ baseURL: url, apiKey: "any", maxRetries: 0, timeout: 60_000 });
const hello = { model: "chat", max_tokens: 8, temperature: 0, messages: [{ role: "user", content: "hello" }] };
const tools = [{ name: weather.name, description: weather.description, input_schema: weather.parameters }];

test("chat", async () => {
  const message = await client.messages.create(hello);
  assert.ok(message.content[0].text.length > 0);
  assert.ok(message.usage.output_tokens > 0);
  assert.equal(message.stop_reason, "max_tokens");
});

test("stream", async () => {
  const stream = client.messages.stream(hello);
  let text = "";
  stream.on("text", (delta) => { text += delta; });
  const message = await stream.finalMessage();
  assert.equal(message.content[0].text, text);
  assert.ok(text.length > 0);
});

test("tools", async () => {
  const ask = { model: "tools", max_tokens: 1500, tools, messages: [{ role: "user", content: "weather?" }] };
  const message = await client.messages.create({ ...ask, tool_choice: { type: "any", disable_parallel_tool_use: true } });
  const calls = message.content.filter((part) => part.type === "tool_use");
  assert.ok(calls.length > 0);
  for (const call of calls) assertWeather(call.name, call.input);
  const results = calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: "sunny" }));
  const second = await client.messages.create({
    ...ask, messages: [...ask.messages, { role: "assistant", content: message.content }, { role: "user", content: results }],
  });
  assert.equal(second.role, "assistant");
});

test("streamed tools", async () => {
  const message = await client.messages.stream({
    model: "tools", max_tokens: 1500, tools, tool_choice: { type: "any", disable_parallel_tool_use: true }, messages: [{ role: "user", content: "weather?" }],
  }).finalMessage();
  for (const call of message.content.filter((part) => part.type === "tool_use")) assertWeather(call.name, call.input);
});

test("count tokens", async () => {
  const { input_tokens } = await client.messages.countTokens({ model: "chat", messages: hello.messages });
  assert.ok(input_tokens > 0);
});

test("abort", async () => {
  const stream = await client.messages.create({ ...hello, max_tokens: 100_000, stream: true });
  for await (const event of stream) {
    // Leaving the loop closes the connection.
    if (event.type === "content_block_delta") break;
  }
  await slotIsFree("chat");
});

test("errors", async () => {
  await assert.rejects(client.messages.create({ ...hello, model: "nobody" }), (error) =>
    error instanceof Anthropic.NotFoundError && error.type === "not_found_error" && error.message.includes("nobody")
      && error.requestID?.startsWith("req-"));
  await assert.rejects(client.messages.countTokens({ model: "embed", messages: hello.messages }), (error) =>
    error instanceof Anthropic.APIError && error.error.type === "error");
  const long = { ...hello, messages: [{ role: "user", content: "word ".repeat(20_000) }] };
  await assert.rejects(client.messages.create(long), (error) =>
    error instanceof Anthropic.BadRequestError && error.type === "invalid_request_error");
});
