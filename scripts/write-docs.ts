import { readFile, writeFile } from "node:fs/promises";
import { referencePages } from "./reference.ts";
import { kotlinTypes } from "./clients/kotlin.ts";
import { pythonContract } from "./clients/python.ts";
import { openRpc } from "./rpc-schema.ts";
import { settingsSchema } from "./settings-schema.ts";
import { alertsTable, rulesFile } from "./monitoring/alerts.ts";
import { dashboardFile } from "./monitoring/dashboard.ts";
import { figuresTable } from "./monitoring/metrics.ts";
import { transparencySummary } from "../test/visitors/transparency/summary.ts";

/** Writes what the code says into the documentation, or with --check fails when they differ. By file and place. */
const parts: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "docs/gateway.md": { transparency: transparencySummary() },
  "docs/operating.md": { figures: figuresTable(), alerts: alertsTable() },
};

const contract = openRpc();

/** Whole files. */
const files: Readonly<Record<string, string>> = {
  "client/porthole.schema.json": settingsSchema(),
  "tunnel/openrpc.json": `${JSON.stringify(contract, null, 2)}\n`,
  "clients/python/src/porthole/types.py": pythonContract(contract),
  "clients/kotlin/src/main/kotlin/io/porthole/Types.kt": kotlinTypes(contract),
  "packaging/porthole.rules.yml": rulesFile(),
  "packaging/porthole-dashboard.json": dashboardFile(),
  ...referencePages(),
};

for (const [file, content] of Object.entries(files)) {
  const path = new URL(`../${file}`, import.meta.url);
  await write(file, path, await readFile(path, "utf8").catch(() => ""), content);
}

for (const [file, places] of Object.entries(parts)) {
  const path = new URL(`../${file}`, import.meta.url);
  const before = await readFile(path, "utf8");
  const after = Object.entries(places).reduce((text, [place, content]) => fill(file, text, place, content), before);
  await write(file, path, before, after);
}

async function write(file: string, path: URL, before: string, after: string): Promise<void> {
  if (!process.argv.includes("--check")) return writeFile(path, after);
  if (normal(after) === normal(before)) return;
  process.stderr.write(`${file}: a generated part is not what the code says. Run: npm run docs\n`);
  process.exitCode = 1;
}

function fill(file: string, text: string, place: string, content: string): string {
  const [start, end] = [`<!-- ${place} -->`, `<!-- /${place} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file} has no place for ${place}`);
  return `${text.slice(0, from + start.length)}\n\n${content}\n${text.slice(to)}`;
}

/** The formatter aligns tables and wraps lines; that is not a difference. */
function normal(text: string): string {
  return text.replaceAll(/-{3,}/g, "---").replaceAll(/\s+/g, " ");
}
