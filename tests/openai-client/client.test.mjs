// The official JavaScript client against a running hal0 with a chat and an embed slot.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";

const baseURL = `${process.env.HAL0_URL}/v1`;
const client = new OpenAI({ baseURL, apiKey: "any", maxRetries: 0, timeout: 60_000 });
const hello = { model: "chat", messages: [{ role: "user", content: "hello" }] };

test("list_namesSlotsAndModels", async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  assert.ok(ids.includes("chat") && ids.includes("embed"), ids.join());
  assert.equal((await client.models.retrieve("embed")).id, "embed");
});

test("chat_answers", async () => {
  const completion = await client.chat.completions.create({ ...hello, max_tokens: 8 });
  assert.ok(completion.choices[0].message.content.length > 0);
  assert.ok(completion.usage.completion_tokens <= 8);
});

test("stream_ends_withUsage", async () => {
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

test("abort_midStream_freesTheSlot", async () => {
  const stream = await client.chat.completions.create({ ...hello, max_tokens: 100_000, stream: true });
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta?.content) break;
  }
  const deadline = Date.now() + 10_000;
  let inside;
  do {
    inside = (await (await fetch(`${process.env.HAL0_URL}/api/slots/chat`)).json()).inside;
  } while (inside !== 0 && Date.now() < deadline);
  assert.equal(inside, 0);
});

test("embeddings_ofTheShippedModel_areNormalised", async () => {
  const reply = await client.embeddings.create({ model: "embed", input: ["a cat", "a dog", "a tax return"] });
  const [cat, dog, tax] = reply.data.map((row) => row.embedding);
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  assert.equal(cat.length, 384);
  assert.ok(Math.abs(dot(cat, cat) - 1) < 1e-4);
  assert.ok(dot(cat, dog) > dot(cat, tax));
  assert.ok(reply.usage.prompt_tokens > 0);
});

test("unknownModel_isNotFound", async () => {
  await assert.rejects(client.chat.completions.create({ ...hello, model: "nobody" }), (error) =>
    error instanceof OpenAI.NotFoundError && error.code === "dispatch.no_route" && error.message.includes("nobody"));
});

test("malformedJson_is400", async () => {
  const response = await fetch(`${baseURL}/chat/completions`, {
    method: "POST", headers: { "content-type": "application/json" }, body: "{\"model\":",
  });
  assert.equal(response.status, 400);
  assert.equal((await response.json()).error.code, "request.invalid_json");
});
