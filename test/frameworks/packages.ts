import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const source = join(import.meta.dirname, "packages");
const files = ["package.json", "package-lock.json"];

/**
 * The folder that has the frameworks in its node_modules, exactly those of packages/package-lock.json. Installed at the first call on a machine, outside of the
 * repository because they are half a gigabyte that nobody else needs.
 */
export function frameworkPackages(): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(source, file)));
  const folder = join(homedir(), ".cache", "porthole-test", `frameworks-${hash.digest("hex").slice(0, 16)}`);
  if (!existsSync(folder)) install(folder);
  return folder;
}

function install(folder: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(`${folder}-`);
  for (const file of files) copyFileSync(join(source, file), join(temporary, file));
  const { status, stderr } = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], {
    cwd: temporary,
    encoding: "utf8",
    timeout: 5 * 60_000,
    shell: process.platform === "win32",
  });
  if (status !== 0) {
    rmSync(temporary, { recursive: true, force: true });
    throw new Error(`The frameworks could not be installed:\n${stderr}`);
  }
  try {
    renameSync(temporary, folder);
  } catch (reason) {
    // Somebody else was faster.
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw reason;
  }
}
