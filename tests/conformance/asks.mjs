// What every client library is asked to do, in the words of no library. Sampled, the chat model may end an answer at once: greedy it never does. The slots: `chat` answers with random syllables,
// `tools` calls a tool with every answer, `embed` is the shipped MiniLM, `rerank` has random weights.
import assert from "node:assert/strict";

export const url = process.env.HAL0_URL;
export const baseURL = `${url}/v1`;

/** A tool whose arguments can only be valid: the engine forces what the schema says, whatever the weights are. */
export const weather = {
  name: "weather",
  description: "The weather of a city",
  parameters: {
    type: "object",
    properties: { city: { type: "string", enum: ["Paris", "Rome"] } },
    required: ["city"],
    additionalProperties: false,
  },
};

export function assertWeather(name, input) {
  assert.equal(name, "weather");
  assert.ok(["Paris", "Rome"].includes(input.city), JSON.stringify(input));
}

export const forecast = {
  type: "object",
  properties: { city: { type: "string", enum: ["Paris", "Rome"] }, sunny: { type: "boolean" } },
  required: ["city", "sunny"],
  additionalProperties: false,
};

export function assertForecast(value) {
  assert.ok(["Paris", "Rome"].includes(value.city) && typeof value.sunny === "boolean", JSON.stringify(value));
}

/** Waits, bounded, until nobody is inside the slot: a client that leaves must free the engine, not only its socket. */
export async function slotIsFree(slot) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { inside } = await (await fetch(`${url}/api/slots/${slot}`)).json();
    if (inside === 0) return;
    assert.ok(Date.now() < deadline, `${inside} still inside ${slot}`);
  }
}
