import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

const files = ["package.json", "package-lock.json"];

/**
 * Returns a folder that has the packages of `source`'s package.json in its node_modules, exactly those of its package-lock.json. Installed at the
 * first call on a machine, outside of the repository because nobody else needs them. No scripts of packages run.
 */
export function cachedPackages(source: string): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(source, file)));
  const name = `${basename(dirname(source))}-${hash.digest("hex").slice(0, 16)}`;
  const folder = join(homedir(), ".cache", "porthole-test", name);
  if (!existsSync(folder)) install(source, folder);
  return folder;
}

function install(source: string, folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(`${folder}-`);
  for (const file of files) copyFileSync(join(source, file), join(temporary, file));
  const { status, stderr } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: temporary,
    encoding: "utf8",
    timeout: 10 * 60_000,
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    rmSync(temporary, { recursive: true, force: true });
    throw new Error(`The packages of ${source} could not be installed:\n${stderr}`);
  }
  try {
    renameSync(temporary, folder);
  } catch (reason) {
    // Somebody else was faster.
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw reason;
  }
}
