import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { platformReason, skipUnless } from "./skip.ts";

/** How to start a Node that refuses memory that is not its own, as Electron with V8's memory cage does. */
export interface CagedNode {
  /** Before the program. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** What such an Electron returns: napi_no_external_buffers_allowed. */
const shimSource = `int xapi_create_external_arraybuffer(void* env, void* data, unsigned long length, void* finalize, void* hint, void** result) {
  return 22;
}
`;

/** Loads the changed copy in place of the native module. */
const preloadSource = (copy: string): string => `
const Module = require("node:module");
const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return request === ${JSON.stringify(nativePackage)} ? ${JSON.stringify(copy)} : resolve.call(this, request, ...rest);
};
`;

const nativePackage = `@matrixai/quic-${process.platform}-${process.arch}`;

/** Skips the running test where that can't be arranged. */
export async function cageNode(context: Mocha.Context): Promise<CagedNode> {
  skipUnless(context, process.platform === "linux", platformReason("The loader's trick is Linux's"));
  skipUnless(context, !spawnSync("gcc", ["--version"]).error, "gcc is not installed");
  const folder = await mkdtemp(path.join(tmpdir(), "porthole-electron-"));
  await writeFile(path.join(folder, "shim.c"), shimSource);
  await writeFile(path.join(folder, "preload.cjs"), preloadSource(path.join(folder, "quic.node")));
  const gcc = spawnSync("gcc", ["-shared", "-fPIC", "-o", "shim.so", "shim.c"], { cwd: folder, encoding: "utf8" });
  assert.equal(gcc.status, 0, gcc.stderr);
  const require = createRequire(createRequire(import.meta.url).resolve("@matrixai/quic/package.json"));
  const original = await readFile(require.resolve(nativePackage), "latin1");
  const changed = original.replaceAll("napi_create_external_arraybuffer", "xapi_create_external_arraybuffer");
  assert.notEqual(changed, original);
  await writeFile(path.join(folder, "quic.node"), changed, "latin1");
  return {
    args: ["--require", path.join(folder, "preload.cjs")],
    env: { LD_PRELOAD: path.join(folder, "shim.so"), NODE_NO_WARNINGS: "1" },
    close: () => rm(folder, { recursive: true }),
  };
}
