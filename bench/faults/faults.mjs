// Sends requests while engines die, and says of each what became of it. usage: faults.mjs LAUNCHER FOLDER [options]
import { spawn } from "node:child_process";
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";

const { values: options, positionals: [launcher, work] } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: "string", default: "20000" },
    callers: { type: "string", default: "24" },
    seed: { type: "string", default: "1" },
    engine: { type: "string", default: "" },
  },
});
const total = Number(options.requests);
const callers = Number(options.callers);
const PATIENCE = 240_000; // longer than the longest wait for room or for a load
const SLOTS = ["killed", "frozen", "restarted", "peace"];
const codes = new Set(readFileSync(join(dirname(resolve(launcher)), "docs/errors.md"), "utf8").match(/`[a-z_]+\.[a-z_]+`/g)
  .map((code) => code.slice(1, -1)));

/** The same numbers for the same seed (mulberry32). */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function freePort() {
  return new Promise((done) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

const pause = (millis) => new Promise((done) => setTimeout(done, millis));
const agent = new http.Agent({ keepAlive: true, maxSockets: callers });
let base;

async function api(method, path, body) {
  const answer = await fetch(base + path, {
    method, body: body && JSON.stringify(body), headers: { "Content-Type": "application/json" },
    signal: AbortSignal.timeout(PATIENCE),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 300)}`);
  return text ? JSON.parse(text) : null;
}

/** One request and what became of it: [word, reason]. Raw, because a library would hide how an answer ended. */
function ask(slot, stream, tokens) {
  return new Promise((done) => {
    const body = JSON.stringify({
      model: slot, stream, max_tokens: tokens, messages: [{ role: "user", content: "hello" }],
    });
    const request = http.request(base + "/v1/chat/completions", {
      method: "POST", agent, headers: { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) },
    });
    const late = setTimeout(() => request.destroy(new Error("silence")), PATIENCE);
    const end = (word, reason) => { clearTimeout(late); done([word, reason]); };
    request.on("error", (error) => end("unexplained", error.code ?? error.message));
    request.on("response", (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => { text += part; });
      response.on("error", (error) => end("unexplained", `after ${text.length} bytes: ${error.code ?? error.message}`));
      response.on("end", () => end(...outcome(response.statusCode, text, stream)));
    });
    request.end(body);
  });
}

function outcome(status, text, stream) {
  if (status === 200 && stream) {
    const events = text.split("\n\n").filter((event) => event.startsWith("data: "));
    const last = events.at(-1);
    const failure = events.find((event) => event.startsWith('data: {"error"'));
    if (last !== "data: [DONE]") return ["unexplained", "a stream without its end"];
    if (failure) return explained("error event", JSON.parse(failure.slice(6)));
    return events.some((event) => event.includes('"finish_reason":"')) ? ["whole"] : ["unexplained", "a stream without an answer"];
  }
  let document;
  try { document = JSON.parse(text); } catch { return ["unexplained", `status ${status} and no JSON`]; }
  if (status === 200) return document.choices?.[0]?.finish_reason ? ["whole"] : ["unexplained", "a document without an answer"];
  return explained("refused", document);
}

function explained(word, { error }) {
  return codes.has(error?.code) ? [word, error.code] : ["unexplained", `${word} with the code ${error?.code}`];
}

const port = await freePort();
base = `http://127.0.0.1:${port}`;
const home = join(work, "home");
mkdirSync(join(home, "etc/hal0/slots"), { recursive: true });
// The watcher's ordinary two minutes would make most of this run a wait for the frozen engine.
writeFileSync(join(home, "etc/hal0/hal0.toml"), "[slots]\nhung_after_s = 3\nstop_grace_s = 2\n"
  + (options.engine ? `[engines]\nllama_server = ${JSON.stringify(options.engine)}\n` : ""));
for (const slot of SLOTS) {
  writeFileSync(join(home, "etc/hal0/slots", `${slot}.toml`),
    `name = "${slot}"\ntype = "llm"\nport = ${await freePort()}\nparallel = 4\n[server]\nextra_args = "--threads 1"\n`);
}
const log = openSync(join(work, "serve.log"), "w");
const server = spawn(launcher, ["serve", "--port", String(port)],
  { env: { ...process.env, HAL0_HOME: home }, stdio: ["ignore", log, log] });
process.on("exit", () => server.kill("SIGKILL"));
process.on("SIGTERM", () => process.exit(143));
for (let tries = 0; ; tries++) {
  try { await api("GET", "/healthz"); break; } catch (down) {
    if (tries > 600 || server.exitCode !== null) { console.error(readFileSync(join(work, "serve.log"), "utf8")); throw down; }
    await pause(200);
  }
}
await api("POST", "/api/models", { path: join(work, "tiny.gguf"), id: "tiny" });
for (const slot of SLOTS) await api("POST", `/api/slots/${slot}/load?wait=200`, { model: "tiny" });
console.log(`${total} requests by ${callers} callers, seed ${options.seed}`);

const engineOf = async (slot) => {
  const { incarnation } = await api("GET", `/api/slots/${slot}`);
  return incarnation ? Number(incarnation.split(":")[1]) : null;
};
const faults = { killed: 0, frozen: 0, restarted: 0 };
let running = true;

/** One fault after the other on a slot, each when the one before is over. */
async function harm(slot, least, most, act, seed) {
  const dice = random(seed);
  while (running) {
    await pause(least + dice() * (most - least));
    if (!running) return;
    try {
      if (!["ready", "serving", "idle"].includes((await api("GET", `/api/slots/${slot}`)).state)) continue;
      await act(slot);
      faults[slot]++;
    } catch (failed) {
      console.error(`a fault on ${slot} could not be made: ${failed.message}`);
    }
  }
}
const signal = (name) => async (slot) => {
  const pid = await engineOf(slot);
  if (pid) process.kill(pid, name);
};
const seed = Number(options.seed);
const harming = [
  harm("killed", 1_000, 4_000, signal("SIGKILL"), seed + 1),
  harm("frozen", 2_000, 6_000, signal("SIGSTOP"), seed + 2),
  harm("restarted", 1_000, 3_000, (slot) => api("POST", `/api/slots/${slot}/restart?wait=120`, {}), seed + 3),
];

const counts = Object.fromEntries(SLOTS.map((slot) => [slot, {}]));
const reasons = {};
const dice = random(seed);
const toSend = Object.fromEntries(SLOTS.map((slot) => [slot, Math.ceil(total / SLOTS.length)]));
let ended = 0;
const started = performance.now();
const progress = setInterval(() => console.error(`  ${ended} of ${total}, ${JSON.stringify(faults)}`), 10_000);

/** Each slot has callers of its own: those who wait for a frozen engine must not leave the others without work. */
async function caller(slot) {
  while (toSend[slot] > 0) {
    toSend[slot]--;
    const stream = dice() < 0.5;
    const [word, reason] = await ask(slot, stream, 1 + Math.floor(dice() * 120));
    ended++;
    counts[slot][word] = (counts[slot][word] ?? 0) + 1;
    if (reason) {
      const key = `${slot}: ${word}, ${reason}`;
      reasons[key] = (reasons[key] ?? 0) + 1;
    }
    // A caller who is told to come back later does not ask again at once.
    if (word === "refused") await pause(100);
  }
}
await Promise.all(Array.from({ length: callers }, (_, index) => caller(SLOTS[index % SLOTS.length])));
clearInterval(progress);
running = false;
const seconds = (performance.now() - started) / 1000;
await Promise.all(harming);
server.kill("SIGTERM");

const words = ["whole", "error event", "refused", "unexplained"];
console.log(`\n${total} requests in ${seconds.toFixed(0)} s; engines killed ${faults.killed} times, frozen ${faults.frozen}, restarted ${faults.restarted}\n`);
console.log(`| slot | ${words.join(" | ")} |\n|---|${"---|".repeat(words.length)}`);
for (const slot of SLOTS) console.log(`| ${slot} | ${words.map((word) => counts[slot][word] ?? 0).join(" | ")} |`);
console.log();
for (const [key, times] of Object.entries(reasons).sort()) console.log(`- ${key}: ${times}`);
const unexplained = SLOTS.reduce((sum, slot) => sum + (counts[slot].unexplained ?? 0), 0);
const lostInPeace = total > 0 && Object.keys(counts.peace).some((word) => word !== "whole");
process.exit(unexplained > 0 || lostInPeace ? 1 : 0);
