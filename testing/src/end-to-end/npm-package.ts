import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const deadlineMs = 5 * 60_000;

/** Installs a package from npm, with its scripts, into a folder of the tests' cache, once. Returns the package's own folder. */
export async function npmPackage(name: string, version: string): Promise<string> {
  const folder = join(homedir(), ".cache", "porthole-test", `npm-${name}-${version}`);
  const own = join(folder, "node_modules", name);
  if (existsSync(own)) return own;
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    const options = ["--no-audit", "--no-fund", "--no-save", "--prefix", unfinished];
    await run("npm", ["install", ...options, `${name}@${version}`], { timeout: deadlineMs, cwd: unfinished });
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return own;
}
