import { readFile, writeFile } from "node:fs/promises";
import { contributes, gallery } from "../extension/src/manifest/index.ts";
import { manifestTextProblems, sourceTextProblems } from "./manifest/texts.ts";

/**
 * Writes what the extension contributes, and what galleries show of it, into package.json, from its types; with --check fails when the two differ, or when a text is
 * missing in a language or is used nowhere.
 */
const root = new URL("../", import.meta.url);
const path = new URL("package.json", root);
const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
const generated = { ...gallery, contributes: contributes() };
const problems: string[] = [];
if (process.argv.includes("--check")) {
  for (const [key, value] of Object.entries(generated))
    if (JSON.stringify(manifest[key]) !== JSON.stringify(value))
      problems.push(`package.json: ${key} is not what extension/src/manifest says. Run: npm run manifest`);
} else {
  await writeFile(path, `${JSON.stringify({ ...manifest, ...generated }, null, 2)}\n`);
}
problems.push(...(await manifestTextProblems(root)), ...(await sourceTextProblems(root)));
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
