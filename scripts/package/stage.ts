import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { listFiles, PackageManager } from "@vscode/vsce";
import { engine, stageEngine } from "./engine.ts";
import { noticesOf } from "./notices.ts";
import type { Target } from "./targets.ts";

export interface StageOptions {
  readonly root: string;
  /** What `extensionFiles` returned. */
  readonly files: readonly string[];
  /** Where the package's files are put together; empty. */
  readonly folder: string;
  readonly scratch: string;
  readonly target: Target;
  /** Folders of the packages in the bundles. */
  readonly bundled: readonly string[];
}

/** What npm and the workspace need, and an editor does not. */
const notForEditors = ["workspaces", "scripts", "devDependencies", "allowScripts", "private", "type"];

/** Returns the paths that `.vscodeignore` lets through. It walks the whole repository, so call it once for all packages. */
export function extensionFiles(root: string): Promise<readonly string[]> {
  return listFiles({ cwd: root, packageManager: PackageManager.None });
}

/** Assembles one package: the extension's files, the notices, and the native code for the target. */
export async function stage({ root, files, folder, scratch, target, bundled }: StageOptions): Promise<void> {
  for (const file of files) await copy(join(root, file), join(folder, file));
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Record<string, unknown>;
  // The editor shows it as the extension's page: for its users, and with addresses that work there.
  await copy(join(root, "extension", "README.md"), join(folder, "README.md"));
  for (const key of notForEditors) delete manifest[key];
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);

  const enginePath = join(root, "node_modules", engine);
  const folders = target.native === undefined ? bundled : [...bundled, enginePath];
  await writeFile(join(folder, "ThirdPartyNotices.txt"), noticesOf(folders, target.native !== undefined));
  if (target.native === undefined) return;

  // Beside the bundles, because vsce takes nothing from a node_modules at the root.
  await stageEngine(root, join(folder, "dist", "node_modules"), target.native, scratch);
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to);
}
