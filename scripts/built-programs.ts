import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export interface BuiltPrograms {
  /** Paths of one file each, as people run them. */
  readonly client: string;
  readonly relay: string;
}

let built: Promise<BuiltPrograms> | undefined;

/** Bundles both programs, once a process. */
export function buildPrograms(): Promise<BuiltPrograms> {
  built ??= promisify(execFile)(process.execPath, [join(root, "esbuild.config.mjs")]).then(() => ({
    client: join(root, "dist", "porthole.mjs"),
    relay: join(root, "dist", "porthole-relay.mjs"),
  }));
  return built;
}

/** The Node of this machine, which is often an older one than the Node of our npm scripts. Undefined where it has none. */
export function machineNode(): { readonly path: string; readonly version: string } | undefined {
  const name = process.platform === "win32" ? "node.exe" : "node";
  const path = (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((folder) => !folder.split(sep).includes("node_modules"))
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
  if (path === undefined) return undefined;
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return { path, version: stdout.trim() };
}
