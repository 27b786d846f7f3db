// ai with @ai-sdk/openai-compatible, what many web applications are built on.
import assert from "node:assert/strict";
import test from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateText, jsonSchema, Output, streamText, tool } from "ai";
import { assertForecast, assertWeather, baseURL, forecast, slotIsFree, weather } from "./asks.mjs";

const hal0 = createOpenAICompatible({ name: "hal0", baseURL, apiKey: "any", includeUsage: true, supportsStructuredOutputs: true });
const tools = { weather: tool({ description: weather.description, inputSchema: jsonSchema(weather.parameters) }) };

// A sampled answer may be a call after a call until it is cut in the middle of one.
const oneCall = { hal0: { parallel_tool_calls: false } };

test("chat", async () => {
  const { text, usage } = await generateText({ model: hal0("chat"), prompt: "hello", maxOutputTokens: 8, temperature: 0, maxRetries: 0 });
  assert.ok(text.length > 0 && usage.outputTokens > 0);
});

test("stream", async () => {
  const result = streamText({ model: hal0("chat"), prompt: "hello", maxOutputTokens: 8, temperature: 0, maxRetries: 0 });
  let text = "";
  for await (const part of result.textStream) text += part;
  assert.ok(text.length > 0);
  assert.ok((await result.usage).outputTokens > 0);
});

test("tools", async () => {
  const { toolCalls } = await generateText({ model: hal0("tools"), prompt: "weather?", tools, toolChoice: "required", providerOptions: oneCall, maxOutputTokens: 1500, maxRetries: 0 });
  assert.ok(toolCalls.length > 0);
  for (const call of toolCalls) assertWeather(call.toolName, call.input);
});

test("streamed tools", async () => {
  const result = streamText({ model: hal0("tools"), prompt: "weather?", tools, toolChoice: "required", providerOptions: oneCall, maxOutputTokens: 1500, maxRetries: 0 });
  await result.consumeStream();
  const calls = await result.toolCalls;
  assert.ok(calls.length > 0);
  for (const call of calls) assertWeather(call.toolName, call.input);
});

test("structured output", async () => {
  const { output } = await generateText({
    model: hal0("chat"), prompt: "weather?", maxOutputTokens: 200, maxRetries: 0, output: Output.object({ schema: jsonSchema(forecast) }),
  });
  assertForecast(output);
});

test("embeddings", async () => {
  const { embeddings } = await embedMany({ model: hal0.embeddingModel("embed"), values: ["a cat", "a dog"], maxRetries: 0 });
  assert.deepEqual(embeddings.map((row) => row.length), [384, 384]);
});

test("abort", async () => {
  const leaving = new AbortController();
  const result = streamText({ model: hal0("chat"), prompt: "hello", maxOutputTokens: 100_000, temperature: 0, maxRetries: 0, abortSignal: leaving.signal });
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") leaving.abort();
    if (part.type === "abort" || part.type === "error") break;
  }
  await slotIsFree("chat");
});

test("errors", async () => {
  await assert.rejects(generateText({ model: hal0("nobody"), prompt: "hello", maxRetries: 0 }), (error) =>
    error.statusCode === 404 && error.message.includes("nobody"));
});
