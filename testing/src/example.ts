import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { start, type Running } from "./end-to-end/process.ts";
import type { Scope } from "./end-to-end/scope.ts";
import type { Output } from "./end-to-end/index.ts";

const root = join(import.meta.dirname, "../..");

export interface ExampleOptions {
  /** What Node runs, with the example's path after it; the example itself when absent. */
  readonly argv?: readonly string[];
  /** What stands after the example's path. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A folder with packages besides ours. */
  readonly packages?: string;
  /** Further files beside the example, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

/**
 * Starts an example of examples/ as its reader does, in a folder of its own. Names of this machine (`*.localhost`) are found, and
 * certificates are not checked: a relay for tests has no authority.
 */
export async function startExample(scope: Scope, name: string, options: ExampleOptions = {}): Promise<Running> {
  const { argv = [], args = [], env = {}, packages, files = {} } = options;
  const outer = await scope.folder();
  const folder = join(outer, "project");
  await mkdir(folder);
  await mkdir(join(outer, "node_modules"));
  await symlink(join(root, "node_modules", "@porthole"), join(outer, "node_modules", "@porthole"), "junction");
  if (packages !== undefined) await symlink(packages, join(folder, "node_modules"), "junction");
  await copyFile(join(root, "examples", name), join(folder, basename(name)));
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  await writeFile(join(outer, "names.cjs"), names);
  const node = ["--conditions=source", "--no-warnings", "--require", join(outer, "names.cjs")];
  return start(scope, process.execPath, [...node, ...argv, basename(name), ...args], {
    cwd: folder,
    env: { PATH: process.env["PATH"], HOME: outer, NODE_TLS_REJECT_UNAUTHORIZED: "0", ...env },
  });
}

/** Runs an example to its end. */
export async function runExample(scope: Scope, name: string, options: ExampleOptions = {}): Promise<Output> {
  const running = await startExample(scope, name, options);
  const exit = await running.exited;
  return { ...exit, stdout: running.lines.join("\n"), stderr: running.errors.join("\n") };
}

/** RFC 6761 says what curl and browsers do: these names are this machine. */
const names = `
const dns = require("node:dns");
for (const api of [dns, dns.promises]) {
  const { lookup } = api;
  api.lookup = (name, ...rest) => lookup(name.endsWith(".localhost") ? "127.0.0.1" : name, ...rest);
}
`;
