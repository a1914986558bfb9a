import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const deadlineMs = 5 * 60_000;

/** Installs packages from PyPI, by name and version, into a folder of the tests' cache, once. Returns the folder, for PYTHONPATH. */
export async function pythonPackages(packages: Readonly<Record<string, string>>): Promise<string> {
  const pins = Object.entries(packages).map(([name, version]) => `${name}==${version}`);
  const folder = join(homedir(), ".cache", "porthole-test", `python-${pins.join("-")}`);
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    const options = ["--quiet", "--disable-pip-version-check", "--target", unfinished];
    await run("python3", ["-m", "pip", "install", ...options, ...pins], { timeout: deadlineMs });
    await rename(unfinished, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}
