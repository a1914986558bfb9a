import { randomBytes } from "node:crypto";
import { link, mkdir, open, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PortholeError, setting } from "../errors.ts";

/** Far above any file of ours: a path that points at a disk image must not fill the memory. */
const maxStateBytes = 16 * 1024 * 1024;

interface Cause {
  readonly text: string;
  readonly hint: string;
}

const causes: Readonly<Record<string, Cause>> = {
  ENOSPC: { text: "the disk is full", hint: "Free some space, then try again." },
  EDQUOT: { text: "the disk quota is used up", hint: "Free some space, then try again." },
  EACCES: {
    text: "no permission",
    hint: `Give this user access to the file and its folder. Another folder can be set with ${setting("state-dir")}.`,
  },
  EPERM: {
    text: "not permitted",
    hint: `Give this user access to the file and its folder. Another folder can be set with ${setting("state-dir")}.`,
  },
  EROFS: { text: "the file system is read-only", hint: `Choose a writable folder with ${setting("state-dir")}.` },
  ENOTDIR: { text: "a part of the path is a file, not a folder", hint: "Move the file away." },
  // mkdir's word for the same.
  EEXIST: { text: "a part of the path is a file, not a folder", hint: "Move the file away." },
  EISDIR: { text: "it is a folder, not a file", hint: "Name a file in it, or move the folder away." },
  // The word of fs.rm for the same.
  ERR_FS_EISDIR: { text: "it is a folder, not a file", hint: "Name a file in it, or move the folder away." },
  ENOENT: { text: "it does not exist", hint: "Check the path; a link may point to nothing." },
  ELOOP: { text: "the links in the path lead in a circle", hint: "Remove one of the links." },
  ENAMETOOLONG: { text: "the path is too long", hint: "Choose a shorter path." },
};

/** Returns the code of a Node.js system error, such as `ENOENT`. Undefined for anything else. */
export function errnoOf(reason: unknown): string | undefined {
  const code = reason instanceof Error ? (reason as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** An error of the file system as one of ours: what was tried, where, why it failed and what to do. */
export function stateError(doing: "read" | "write", path: string, reason: unknown): PortholeError {
  if (reason instanceof PortholeError) return reason;
  const code = errnoOf(reason);
  const cause = code === undefined ? undefined : causes[code];
  return new PortholeError("state", `Can't ${doing} ${path}: ${cause?.text ?? code ?? String(reason)}`, {
    cause: reason,
    ...(cause && { hint: cause.hint }),
  });
}

/** Makes the folder and those above it that are missing, for this user only. Rejects with `state`. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await makeMissing(path);
  } catch (reason) {
    throw stateError("write", path, reason);
  }
}

/**
 * Replaces the file: a reader sees the old content or the new one, also after a power cut.
 * Folders that don't exist are made with mode 0700. When it fails the old file is untouched and nothing is left behind.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o600 }: { readonly mode?: number } = {},
): Promise<void> {
  try {
    const temporary = await writeTemporary(path, data, mode);
    try {
      await replace(temporary, path);
    } catch (reason) {
      await rm(temporary, { force: true });
      throw reason;
    }
    await syncFolder(dirname(path));
  } catch (reason) {
    throw stateError("write", path, reason);
  }
}

/**
 * Makes the file, complete from the first moment that it is visible, or returns false if there is one already.
 * Of several processes that try at once exactly one gets true.
 */
export async function createFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o600 }: { readonly mode?: number } = {},
): Promise<boolean> {
  try {
    const temporary = await writeTemporary(path, data, mode);
    try {
      await link(temporary, path);
    } catch (reason) {
      const code = errnoOf(reason);
      if (code === "EEXIST") return false;
      if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP" && code !== "ENOSYS") throw reason;
      return await createWithoutLink(path, data, mode);
    } finally {
      await rm(temporary, { force: true });
    }
    await syncFolder(dirname(path));
    return true;
  } catch (reason) {
    throw stateError("write", path, reason);
  }
}

/** The file's content, or undefined if there is no such file. */
export async function readFileIfExists(
  path: string,
  { maxBytes = maxStateBytes }: { readonly maxBytes?: number } = {},
): Promise<Buffer | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const { size } = await file.stat();
    if (size > maxBytes)
      throw new PortholeError("state", `Can't read ${path}: it has ${size} bytes, expected at most ${maxBytes}`, {
        hint: "Check the path: this is not a file of Porthole's.",
      });
    return await file.readFile();
  } catch (reason) {
    if (file === undefined && errnoOf(reason) === "ENOENT") return undefined;
    throw stateError("read", path, reason);
  } finally {
    await file?.close();
  }
}

/** The file's JSON as `validate` returns it, or undefined if there is no such file. What `validate` throws names the damage. */
export async function readJson<T>(path: string, validate: (value: unknown) => T): Promise<T | undefined> {
  const content = await readFileIfExists(path);
  if (content === undefined) return undefined;
  try {
    return validate(JSON.parse(content.toString("utf8")));
  } catch (reason) {
    throw new PortholeError(
      "state",
      `${path} is damaged: ${reason instanceof Error ? reason.message : String(reason)}`,
      { cause: reason, hint: "Restore it from a backup, or move it away: Porthole then starts without it." },
    );
  }
}

/** See writeFileAtomic. Indented, because people read these files when something is wrong. */
export async function writeJson(path: string, value: unknown, options?: { readonly mode?: number }): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, undefined, 2)}\n`, options);
}

/** Moves a file that is damaged to NAME.damaged, where a person can look at it; one that is gone is left alone. */
export async function moveDamaged(path: string): Promise<void> {
  try {
    await replace(path, `${path}.damaged`);
  } catch (reason) {
    if (errnoOf(reason) !== "ENOENT") throw stateError("write", `${path}.damaged`, reason);
  }
}

async function writeTemporary(path: string, data: string | Uint8Array, mode: number): Promise<string> {
  const folder = dirname(path);
  await makeMissing(folder);
  const temporary = join(folder, `.${basename(path).slice(0, 100)}.${randomBytes(6).toString("hex")}.tmp`);
  const file = await open(temporary, "wx", mode);
  try {
    await writeAndSync(file, data, mode);
  } catch (reason) {
    await rm(temporary, { force: true });
    throw reason;
  }
  return temporary;
}

/** Not mkdir's `recursive`: that tries indefinitely where a folder is there and takes none, like /proc. */
async function makeMissing(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) await makeMissing(parent);
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (reason) {
    if (!(await isFolder(folder))) throw reason;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // creating it reports why
  }
}

async function writeAndSync(file: FileHandle, data: string | Uint8Array, mode: number): Promise<void> {
  try {
    await file.chmod(mode); // what open() was told went through the umask
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** FAT and some network file systems have no links. There a reader may for a moment see less than the whole file. */
async function createWithoutLink(path: string, data: string | Uint8Array, mode: number): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, "wx", mode);
  } catch (reason) {
    if (errnoOf(reason) === "EEXIST") return false;
    throw reason;
  }
  try {
    await writeAndSync(file, data, mode);
  } catch (reason) {
    await rm(path, { force: true });
    throw reason;
  }
  return true;
}

/** Windows refuses to replace a file while a virus scanner or another reader has it open; that passes. */
async function replace(from: string, to: string): Promise<void> {
  for (let pauseMs = 10; ; pauseMs *= 2) {
    try {
      return await rename(from, to);
    } catch (reason) {
      const code = errnoOf(reason);
      const mayPass = process.platform === "win32" && (code === "EPERM" || code === "EACCES" || code === "EBUSY");
      if (!mayPass || pauseMs > 640) throw reason;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

/** A rename survives a power cut only once its folder is written. Windows and some file systems can't and needn't. */
async function syncFolder(folder: string): Promise<void> {
  let file: FileHandle | undefined;
  try {
    file = await open(folder, "r");
    await file.sync();
  } catch {
    // The file itself is safe; only which of the two versions survives a power cut is open.
  } finally {
    await file?.close();
  }
}
