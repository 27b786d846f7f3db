// What goes over the wire for each kind of request, kept in golden/: status, the headers that clients read, and every field
// of the answer. Texts, numbers and ids are masked, since they differ from run to run; a run of equal events is one line.
// A change of the engine or of hal0 that clients could notice shows up as a difference. HAL0_WRITE_GOLDEN=1 writes them anew.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import test from "node:test";
import { forecast, url, weather } from "./asks.mjs";

const user = (content) => [{ role: "user", content }];
const asks = {
  "models": { method: "GET", path: "/v1/models/chat" },
  "chat": { path: "/v1/chat/completions", body: { model: "chat", messages: user("hello"), max_tokens: 4, temperature: 0 } },
  "chat-stream": { path: "/v1/chat/completions", body: { model: "chat", messages: user("hello"), max_tokens: 4, temperature: 0, stream: true } },
  "chat-stream-usage": {
    path: "/v1/chat/completions",
    body: { model: "chat", messages: user("hello"), max_tokens: 4, temperature: 0, stream: true, stream_options: { include_usage: true } },
  },
  "chat-structured": {
    path: "/v1/chat/completions",
    body: { model: "chat", messages: user("hello"), max_tokens: 200, response_format: { type: "json_schema", json_schema: { name: "forecast", schema: forecast } } },
  },
  "chat-tools": {
    path: "/v1/chat/completions",
    body: { model: "tools", messages: user("weather?"), max_tokens: 400, tools: [{ type: "function", function: weather }] },
  },
  "completions": { path: "/v1/completions", body: { model: "chat", prompt: "once", max_tokens: 4, temperature: 0 } },
  "embeddings": { path: "/v1/embeddings", body: { model: "embed", input: "a cat" } },
  "rerank": { path: "/v1/rerank", body: { model: "rerank", query: "cat", documents: ["a cat", "a dog"] } },
  "responses": { path: "/v1/responses", body: { model: "chat", input: "hello", max_output_tokens: 4, temperature: 0 } },
  "responses-stream": { path: "/v1/responses", body: { model: "chat", input: "hello", max_output_tokens: 4, temperature: 0, stream: true } },
  "messages": { path: "/v1/messages", body: { model: "chat", max_tokens: 4, temperature: 0, messages: user("hello") } },
  "messages-stream": { path: "/v1/messages", body: { model: "chat", max_tokens: 4, temperature: 0, messages: user("hello"), stream: true } },
  "count-tokens": { path: "/v1/messages/count_tokens", body: { model: "chat", messages: user("hello") } },
  "unknown-model": { path: "/v1/chat/completions", body: { model: "nobody", messages: user("hello") } },
  "wrong-kind": { path: "/v1/chat/completions", body: { model: "embed", messages: user("hello") } },
  "malformed": { path: "/v1/chat/completions", body: "{\"model\":" },
};

const telling = ["content-type", "x-request-id", "retry-after", "cache-control"];
const constants = new Set(["object", "type", "role", "finish_reason", "stop_reason", "status", "code", "param", "owned_by", "state"]);

for (const [name, ask] of Object.entries(asks)) {
  test(name, async () => {
    const method = ask.method ?? "POST";
    const sent = typeof ask.body === "string" ? ask.body : JSON.stringify(ask.body);
    const response = await fetch(url + ask.path, {
      method, body: method === "GET" ? undefined : sent, headers: method === "GET" ? {} : { "content-type": "application/json" },
    });
    const lines = [`${method} ${ask.path}`];
    if (method !== "GET") lines.push(sent);
    lines.push("", String(response.status));
    for (const [header, value] of response.headers) {
      if (telling.includes(header) || header.startsWith("x-hal0-")) {
        lines.push(`${header}: ${/id$|-ms$|^retry-after$/.test(header) ? "…" : value}`);
      }
    }
    lines.push("", ...body(response.headers.get("content-type") ?? "", await response.text()));
    const text = lines.join("\n") + "\n";
    const file = new URL(`golden/${name}.txt`, import.meta.url);
    if (process.env.HAL0_WRITE_GOLDEN) writeFileSync(file, text);
    assert.ok(existsSync(file), `golden/${name}.txt is missing; HAL0_WRITE_GOLDEN=1 writes it`);
    assert.equal(text, readFileSync(file, "utf8"));
  });
}

function body(type, text) {
  if (!type.startsWith("text/event-stream")) return [JSON.stringify(masked(JSON.parse(text)), null, 2)];
  const events = [];
  for (const line of text.split("\n")) {
    const data = /^data: ([{[].*)$/.exec(line);
    const shown = data && line !== "data: [DONE]" ? `data: ${JSON.stringify(masked(JSON.parse(data[1])))}` : line;
    events.push(shown);
  }
  // Equal events that follow one another, with the empty lines between them, are told once.
  const told = [];
  for (const event of events.join("\n").split("\n\n")) {
    if (event !== told.at(-1)) told.push(event);
  }
  return told.join("\n\n").trimEnd().split("\n");
}

/** The same value with "…" for texts and 0 for numbers, keys in order of the alphabet, equal neighbours in a list once; constants stay. */
function masked(value, key = "") {
  if (Array.isArray(value)) {
    const items = value.map((item) => masked(item, key));
    return items.filter((item, i) => i === 0 || JSON.stringify(item) !== JSON.stringify(items[i - 1]));
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.keys(value).sort().map((name) => [name, masked(value[name], name)]));
  }
  if (typeof value === "number") return constants.has(key) ? value : 0;
  if (typeof value === "string") return constants.has(key) ? value : "…";
  return value;
}
