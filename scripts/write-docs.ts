import { readFile, writeFile } from "node:fs/promises";
import { markdownTable } from "@porthole/common/options";
import { relayOptions } from "@porthole/relay";
import { clientOptions } from "porthole";

/** Writes the option tables into the README, or with --check fails when they are not what the code says. */
const path = new URL("../README.md", import.meta.url);
const before = await readFile(path, "utf8");
const after = fill(fill(before, "client", markdownTable(clientOptions)), "relay", markdownTable(relayOptions));
if (process.argv.includes("--check")) {
  if (normal(after) !== normal(before)) {
    process.stderr.write("README.md: the option tables are not what the code says. Run: npm run docs\n");
    process.exitCode = 1;
  }
} else {
  await writeFile(path, after);
}

function fill(text: string, name: string, table: string): string {
  const [start, end] = [`<!-- options:${name} -->`, `<!-- /options:${name} -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`README.md has no place for the options of ${name}`);
  return `${text.slice(0, from + start.length)}\n\n${table}\n${text.slice(to)}`;
}

/** The formatter aligns tables; that is not a difference. */
function normal(text: string): string {
  return text
    .replaceAll(/[ \t]+/g, " ")
    .replaceAll(/-{3,}/g, "---")
    .replaceAll(/\n+/g, "\n");
}
