import { createHash } from "node:crypto";
import { rmdir, stat, symlink, unlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { PortholeError, setting } from "../errors.ts";
import { errnoOf, stateError } from "../util/state-file.ts";
import { temporaryFolder } from "../util/temporary-folder.ts";

/** The longest path of a Unix socket on the strictest platform (macOS: 104 with the final zero). */
const maxPathBytes = 103;

/** Names a running program: there is one of its kind for each state folder. */
export interface ControlPlace {
  readonly stateDir: string;
  /** `client` or `relay`: the socket's file name. */
  readonly program: string;
}

/** Returns the path of the socket in the state folder. On Windows it is the name of a pipe. */
export function socketPath({ stateDir, program }: ControlPlace): string {
  if (process.platform !== "win32") return join(resolve(stateDir), `${program}.sock`);
  // One folder there has several spellings.
  const digest = createHash("sha256").update(resolve(stateDir).toLowerCase()).digest("hex").slice(0, 16);
  return `\\\\.\\pipe\\porthole-${program}-${digest}`;
}

/**
 * Calls `use` with a path to the socket that is short enough for the platform. A long one is led to by a link in a folder that only this
 * user may enter and that lasts as long as `use`: in a shared folder somebody else could be there first, and be taken for the program.
 */
export async function withSocketPath<T>(place: ControlPlace, use: (path: string) => Promise<T>): Promise<T> {
  const path = socketPath(place);
  if (Buffer.byteLength(path) <= maxPathBytes) return use(path);
  const folder = await temporaryFolder("porthole-");
  const link = join(folder, "s");
  try {
    await symlink(resolve(place.stateDir), link);
    return await use(join(link, `${place.program}.sock`));
  } finally {
    await unlink(link).catch(() => {});
    await rmdir(folder);
  }
}

/** Rejects with `state` when anybody may write to the folder: others could replace a key, or answer in the program's place. */
export async function refuseSharedFolder(stateDir: string): Promise<void> {
  if (process.platform === "win32") return;
  let mode: number;
  try {
    ({ mode } = await stat(stateDir));
  } catch (reason) {
    if (errnoOf(reason) === "ENOENT") return;
    throw stateError("read", stateDir, reason);
  }
  if ((mode & 0o002) === 0) return;
  throw new PortholeError("state", `Everybody on this machine may write to the state folder ${stateDir}`, {
    hint: `Run chmod go-w ${stateDir}, or choose a folder inside it with ${setting("state-dir")}.`,
  });
}
