import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createVSIX } from "@vscode/vsce";
import type { Metafile } from "esbuild";
import { bundledPackages } from "./package/notices.ts";
import { extensionFiles, stage } from "./package/stage.ts";
import { labelOf, targets, type Target } from "./package/targets.ts";
import { version } from "../common/src/version.ts";

/** `npm run package`: the editor's extension for each platform, as dist/porthole-<platform>-<version>.vsix. `-- linux-x64` makes one. `--bundled` takes what is in dist/extension. */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const maxScriptBytes = 1_350_000;
/** The limit on what the editor itself loads, in every window: its extension host waits for it. */
const maxHostBytes = 240_000;

/** What esbuild.config.mjs reports of the extension's bundles. */
interface BundleReport extends Pick<Metafile, "outputs"> {
  /** Files that the styles have inside. */
  readonly pictures: readonly string[];
}

async function main(args: readonly string[]): Promise<void> {
  const labels = args.filter((arg) => arg !== "--bundled");
  const unknown = labels.filter((label) => !targets.some((target) => labelOf(target) === label));
  if (unknown.length > 0)
    throw new Error(`No package for ${unknown.join(", ")}. There are ${targets.map(labelOf).join(", ")}.`);
  if (!args.includes("--bundled"))
    execFileSync(process.execPath, [join(root, "esbuild.config.mjs")], { stdio: ["ignore", "ignore", "inherit"] });
  const meta = JSON.parse(await readFile(join(root, "dist", "extension", "meta.json"), "utf8")) as BundleReport;
  const { outputs, pictures } = meta;
  const scripts = Object.entries(outputs).filter(([path]) => /\.[cm]?js$/.test(path));
  for (const [name, { bytes }] of scripts) console.log(`  ${kilobytes(bytes)}  ${name}`);
  const scriptBytes = scripts.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  console.log(`  ${kilobytes(scriptBytes)}  of ${kilobytes(maxScriptBytes)} in all`);
  if (scriptBytes > maxScriptBytes)
    throw new Error(`The extension's JavaScript has grown to ${scriptBytes} bytes; ${maxScriptBytes} are allowed`);
  const hostBytes = outputs["dist/extension/extension.cjs"]?.bytes ?? Infinity;
  if (hostBytes > maxHostBytes)
    throw new Error(`What the editor loads has grown to ${hostBytes} bytes; ${maxHostBytes} are allowed`);
  const inputs = [...scripts.flatMap(([, output]) => Object.keys(output.inputs)), ...pictures];
  const bundled = bundledPackages(inputs).map((folder) => join(root, folder));
  const files = await extensionFiles(root);
  for (const target of targets)
    if (labels.length === 0 || labels.includes(labelOf(target))) await packageFor(target, files, bundled);
}

async function packageFor(target: Target, files: readonly string[], bundled: readonly string[]): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "porthole-package-"));
  try {
    const folder = join(scratch, "extension");
    await mkdir(folder);
    await stage({ root, files, folder, scratch, target, bundled });
    const file = join(root, "dist", `porthole-${labelOf(target)}-${version}.vsix`);
    await createVSIX({
      cwd: folder,
      packagePath: file,
      ...(target.name === undefined ? {} : { target: target.name }),
      dependencies: false,
    });
    console.log(`${kilobytes((await stat(file)).size)}  ${file}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function kilobytes(bytes: number): string {
  return `${String(Math.round(bytes / 1_000)).padStart(5)} kB`;
}

await main(process.argv.slice(2));
