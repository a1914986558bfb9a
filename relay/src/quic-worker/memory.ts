import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";

/** Returns a process's resident memory in bytes, read from /proc, because a process that fills its memory may no longer answer. Undefined except on Linux. */
export async function residentBytes(pid: number): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    // It has just ended.
    return undefined;
  }
}

const mebibyte = 1024 * 1024;

/** Half of what this machine, or this container, has. */
export function defaultMemoryMebibytes(): number {
  const limit = process.constrainedMemory();
  // Without a limit of its own it answers 0, or more than there is.
  const available = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.floor(available / 2 / mebibyte);
}
