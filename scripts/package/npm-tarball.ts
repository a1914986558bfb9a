import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface LockFile {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

/**
 * Puts the files of an npm package, in the version and with the content that the lock file demands, into `folder`.
 * It need not be for this machine's platform, and none of its scripts run.
 */
export async function unpackPackage(lock: LockFile, name: string, folder: string, scratch: string): Promise<void> {
  const { version, integrity } = lock.packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined) throw new Error(`package-lock.json does not know ${name}`);
  const download = join(scratch, name.replaceAll("/", "-"));
  await mkdir(download, { recursive: true });
  const isWindows = process.platform === "win32";
  await run("npm", ["pack", `${name}@${version}`, "--ignore-scripts", "--silent", "--pack-destination", download], {
    shell: isWindows,
    timeout: 120_000,
  });
  const [file] = await readdir(download);
  if (file === undefined) throw new Error(`npm pack ${name}@${version} made no file`);
  verifyIntegrity(await readFile(join(download, file)), integrity, `${name}@${version}`);
  await run("tar", ["-xzf", file], { cwd: download, timeout: 60_000 });
  await mkdir(join(folder, ".."), { recursive: true });
  await rename(join(download, "package"), folder);
}

/** `integrity`: as in a lock file, `sha512-<base64>`. Throws when the bytes are others. */
export function verifyIntegrity(bytes: Uint8Array, integrity: string, what: string): void {
  const [algorithm = ""] = integrity.split("-", 1);
  const found = `${algorithm}-${createHash(algorithm).update(bytes).digest("base64")}`;
  if (found !== integrity)
    throw new Error(`${what} is not what package-lock.json demands: ${found} instead of ${integrity}`);
}
