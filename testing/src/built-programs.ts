import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import { promisify } from "node:util";
import { version } from "@porthole/common/version";
import { isMade, oncePerRun } from "./once-per-run.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

export interface BuiltPrograms {
  /** Paths of one file each, as people run them. */
  readonly client: string;
  readonly relay: string;
  /** For a Node inside an app. */
  readonly embedded: string;
}

const programs: BuiltPrograms = {
  client: join(root, "dist", "porthole.mjs"),
  relay: join(root, "dist", "porthole-relay.mjs"),
  embedded: join(root, "dist", "porthole-embedded.mjs"),
};

/** Bundles the programs and the extension in `dist/`, once a test run. */
export async function buildPrograms(): Promise<BuiltPrograms> {
  await oncePerRun("bundle", () => run(process.execPath, [join(root, "esbuild.config.mjs")]));
  return programs;
}

/** The bundles of this test run if the runner made them at its start. They start five times as fast as the sources. */
export const programsOfRun: BuiltPrograms | undefined = isMade("bundle") ? programs : undefined;

/** Compiles the packages to their `dist` folders, once a test run. */
export function buildPackages(): Promise<void> {
  return oncePerRun("build", async () => {
    // Its files are not written again while other tests read them.
    await buildPrograms();
    await run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-b"], { cwd: root });
  });
}

/** Returns the path of the extension's package for this machine, made once a test run as `npm run package` makes it. */
export async function packExtension(): Promise<string> {
  await buildPrograms();
  const args = [join(root, "scripts", "package.ts"), "--bundled", "linux-x64"];
  await oncePerRun("vsix", () => run(process.execPath, args));
  return join(root, "dist", `porthole-linux-x64-${version}.vsix`);
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
