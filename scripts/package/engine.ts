import { cp, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { unpackPackage, type LockFile } from "./npm-tarball.ts";

/** The wrapper that finds the binary; of its package nothing else runs. */
export const engine = "@matrixai/quic";
const engineFiles = ["package.json", "LICENSE", "dist/native/quiche.js"];

/** Puts what bundles need of QUIC into the folder `modules`: the wrapper, and the native code of the package `native`. */
export async function stageEngine(root: string, modules: string, native: string, scratch: string): Promise<void> {
  for (const file of engineFiles) {
    const to = join(modules, engine, file);
    await mkdir(dirname(to), { recursive: true });
    await cp(join(root, "node_modules", engine, file), to);
  }
  const lock = JSON.parse(await readFile(join(root, "package-lock.json"), "utf8")) as LockFile;
  await unpackPackage(lock, native, join(modules, native), scratch);
}
