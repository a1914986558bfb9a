import { readFile, writeFile } from "node:fs/promises";
import { contributes } from "../extension/src/manifest/index.ts";
import { manifestTextProblems, sourceTextProblems } from "./manifest/texts.ts";

/**
 * Writes what the extension contributes into package.json, from its types; with --check fails when the two differ, or when a text is
 * missing in a language or is used nowhere.
 */
const root = new URL("../", import.meta.url);
const path = new URL("package.json", root);
const manifest = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
const generated = contributes();
const problems: string[] = [];
if (process.argv.includes("--check")) {
  if (JSON.stringify(manifest["contributes"]) !== JSON.stringify(generated))
    problems.push("package.json: contributes is not what extension/src/manifest says. Run: npm run manifest");
} else {
  await writeFile(path, `${JSON.stringify({ ...manifest, contributes: generated }, null, 2)}\n`);
}
problems.push(...(await manifestTextProblems(root)), ...(await sourceTextProblems(root)));
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
