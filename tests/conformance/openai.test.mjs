// openai, the official JavaScript client.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { assertForecast, assertWeather, baseURL, forecast, slotIsFree, weather } from "./asks.mjs";

const client = new OpenAI({ baseURL, apiKey: "any", maxRetries: 0, timeout: 60_000 });
// Where the machine could not get a whisper-server, ./test has said so, and failed if it must not.
const hears = { skip: process.env.HAL0_TEST_WHISPER_SERVER ? false : "there is no whisper-server" };
const hello = { model: "chat", temperature: 0, messages: [{ role: "user", content: "hello" }] };

test("list", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes("chat") && ids.includes("embed"), ids.join());
  assert.equal((await client.models.retrieve("embed")).id, "embed");
});

test("chat", async () => {
  const completion = await client.chat.completions.create({ ...hello, max_tokens: 8 });
  assert.ok(completion.choices[0].message.content.length > 0);
  assert.ok(completion.usage.completion_tokens <= 8);
});

test("stream", async () => {
  const stream = await client.chat.completions.create({
    ...hello, max_tokens: 8, stream: true, stream_options: { include_usage: true },
  });
  let text = "", usage = null;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    usage = chunk.usage ?? usage;
  }
  assert.ok(text.length > 0 && usage.completion_tokens > 0);
});

test("stream without usage", async () => {
  const stream = await client.chat.completions.create({ ...hello, max_tokens: 8, stream: true });
  for await (const chunk of stream) {
    assert.ok(chunk.choices.length === 1 && !chunk.usage, "a usage event that nobody asked for");
  }
});

test("tools", async () => {
  const tools = [{ type: "function", function: weather }];
  const messages = [{ role: "user", content: "How is the weather?" }];
  const first = await client.chat.completions.create({
    model: "tools", messages, tools, tool_choice: "required", parallel_tool_calls: false, max_tokens: 1500,
  });
  const { message, finish_reason } = first.choices[0];
  assert.equal(finish_reason, "tool_calls");
  for (const call of message.tool_calls) assertWeather(call.function.name, JSON.parse(call.function.arguments));
  // The result goes back, as an agent does it.
  const results = message.tool_calls.map((call) => ({ role: "tool", tool_call_id: call.id, content: "sunny" }));
  const second = await client.chat.completions.create({ model: "tools", messages: [...messages, message, ...results], tools, max_tokens: 1500 });
  assert.equal(second.choices.length, 1);
});

test("streamed tools", async () => {
  const runner = client.chat.completions.stream({
    model: "tools", messages: [{ role: "user", content: "weather" }], tools: [{ type: "function", function: weather }],
    tool_choice: "required", parallel_tool_calls: false, max_tokens: 1500,
  });
  const { message } = (await runner.finalChatCompletion()).choices[0];
  for (const call of message.tool_calls) assertWeather(call.function.name, JSON.parse(call.function.arguments));
});

test("structured output", async () => {
  const completion = await client.chat.completions.create({
    ...hello, max_tokens: 200, response_format: { type: "json_schema", json_schema: { name: "forecast", strict: true, schema: forecast } },
  });
  assertForecast(JSON.parse(completion.choices[0].message.content));
});

test("completions", async () => {
  const completion = await client.completions.create({ model: "chat", prompt: "once upon", max_tokens: 8, temperature: 0 });
  assert.ok(completion.choices[0].text.length > 0);
});

test("responses", async () => {
  const response = await client.responses.create({ model: "chat", input: "hello", max_output_tokens: 8, temperature: 0 });
  assert.ok(response.output_text.length > 0);
});

test("streamed responses", async () => {
  const stream = await client.responses.create({ model: "chat", input: "hello", max_output_tokens: 8, temperature: 0, stream: true });
  const kinds = [];
  let text = "";
  for await (const event of stream) {
    kinds.push(event.type);
    if (event.type === "response.output_text.delta") text += event.delta;
  }
  assert.equal(kinds[0], "response.created");
  assert.equal(kinds.at(-1), "response.completed");
  assert.ok(text.length > 0);
});

test("embeddings", async () => {
  const reply = await client.embeddings.create({ model: "embed", input: ["a cat", "a dog", "a tax return"] });
  const [cat, dog, tax] = reply.data.map((row) => row.embedding);
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  assert.equal(cat.length, 384);
  assert.ok(Math.abs(dot(cat, cat) - 1) < 1e-4);
  assert.ok(dot(cat, dog) > dot(cat, tax));
  assert.ok(reply.usage.prompt_tokens > 0);
});

test("rerank", async () => {
  // The library has no method for it; its users call the path.
  const reply = await client.post("/rerank", { body: { model: "rerank", query: "cat", documents: ["a cat", "a tax return"] } });
  assert.deepEqual(reply.results.map((row) => row.index).sort(), [0, 1]);
  assert.ok(reply.results.every((row) => typeof row.relevance_score === "number"));
});

test("abort", async () => {
  const stream = await client.chat.completions.create({ ...hello, max_tokens: 100_000, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta?.content) break;
  }
  await slotIsFree("chat");
});

test("errors", async () => {
  await assert.rejects(client.chat.completions.create({ ...hello, model: "nobody" }), (error) =>
    error instanceof OpenAI.NotFoundError && error.code === "dispatch.no_route" && error.message.includes("nobody"));
  await assert.rejects(client.chat.completions.create({ ...hello, model: "embed" }), (error) =>
    error instanceof OpenAI.ConflictError && error.message.includes("embed"));
  const malformed = await fetch(`${baseURL}/chat/completions`, {
    method: "POST", headers: { "content-type": "application/json" }, body: "{\"model\":",
  });
  assert.equal(malformed.status, 400);
  assert.equal((await malformed.json()).error.code, "request.invalid_json");
});

test("transcription", hears, async () => {
  const text = await client.audio.transcriptions.create({ model: "stt", file: silence(), response_format: "json" });
  assert.equal(typeof text.text, "string");
});

test("translation", hears, async () => {
  const text = await client.audio.translations.create({ model: "stt", file: silence() });
  assert.equal(typeof text.text, "string");
});

/** A second of a quiet tone as a WAV file: 16 kHz, one channel, 16 bits. */
function silence() {
  const samples = 16_000;
  const wav = Buffer.alloc(44 + samples * 2);
  wav.write("RIFF", 0);
  wav.writeUInt32LE(36 + samples * 2, 4);
  wav.write("WAVEfmt ", 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(16_000, 24);
  wav.writeUInt32LE(32_000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36);
  wav.writeUInt32LE(samples * 2, 40);
  for (let i = 0; i < samples; i++) wav.writeInt16LE(Math.round(1000 * Math.sin(i / 10)), 44 + 2 * i);
  return new File([wav], "tone.wav", { type: "audio/wav" });
}
