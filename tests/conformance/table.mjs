// usage: table.mjs FOLDER_WITH_TAP [--write|--check DOCUMENT]: the table of operations and clients, between its two marks.
import { existsSync, readFileSync, writeFileSync } from "node:fs";

const [folder, verb, document] = process.argv.slice(2);
const clients = { openai: "openai", anthropic: "@anthropic-ai/sdk", "ai-sdk": "ai + @ai-sdk/openai-compatible" };
const versions = JSON.parse(readFileSync(new URL("package.json", import.meta.url))).dependencies;
const rows = new Map();
for (const client of Object.keys(clients)) {
  for (const [, not, name] of readFileSync(`${folder}/${client}.tap`, "utf8").matchAll(/^(not )?ok \d+ - (.*)$/gm)) {
    if (!rows.has(name)) rows.set(name, {});
    rows.get(name)[client] = not ? "fails" : "yes";
  }
}
const titles = Object.values(clients).map((title) => title.split(" + ").map((name) => `${name} ${versions[name]}`).join(", "));
const table = [
  `| Operation | ${titles.join(" | ")} |`,
  `|---|${titles.map(() => "---|").join("")}`,
  ...[...rows].map(([name, cells]) => `| ${name} | ${Object.keys(clients).map((client) => cells[client] ?? "–").join(" | ")} |`),
].join("\n");

const marks = /(<!-- table -->\n)[^]*?(\n<!-- end -->)/;
if (verb === "--write") {
  writeFileSync(document, readFileSync(document, "utf8").replace(marks, `$1${table}$2`));
} else if (verb === "--check") {
  const shown = existsSync(document) ? readFileSync(document, "utf8") : "";
  if (!shown.includes(table)) {
    console.log(`${document} shows another table; HAL0_WRITE_GOLDEN=1 ./test conformance writes it.`);
    process.exit(1);
  }
} else {
  console.log(table);
}
