import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { hostname } from "node:os";
import { PortholeError } from "../errors.ts";
import { orAbort } from "./abort.ts";
import { sleep, type Clock, type Timer } from "./clock.ts";
import { createFileAtomic, readFileIfExists, writeFileAtomic } from "./state-file.ts";

const refreshMs = 5_000;
/** Two refreshes missed and a second for a slow disk. */
const staleMs = 11_000;
const firstPollMs = 50;
const maxPollMs = 1_000;

export interface Lock {
  /** Aborts with `state` when another process took the lock because this one slept. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/** A lock that a file stands for. */
export interface FileLock extends Lock {
  /** The holder in the file: with it another process can ask `isHeldBy`. */
  readonly id: string;
}

interface Holder {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  readonly count: number;
}

/** Waiters of this process stand in line, so that only one of them asks the disk. By path; the last one's end. */
const lines = new Map<string, Promise<unknown>>();

/**
 * Waits until nobody else, here or in another process, holds the lock file, and takes it. The holder keeps changing the file; one
 * that doesn't, or whose process is gone, has lost it. Two may in theory win at once after a crash, so what is done under it has to
 * look at its state again first and be harmless twice.
 */
export async function lockFile(path: string, clock: Clock, signal: AbortSignal): Promise<FileLock> {
  const before = lines.get(path);
  let leave = (): void => {};
  const left = new Promise<void>((resolve) => (leave = resolve));
  const end = Promise.all([before, left]).then(() => {
    if (lines.get(path) === end) lines.delete(path);
  });
  lines.set(path, end);
  try {
    await orAbort(signal, Promise.resolve(before));
    const lock = await takeFile(path, clock, signal);
    return {
      id: lock.id,
      signal: lock.signal,
      release: () => lock.release().finally(leave),
    };
  } catch (reason) {
    leave();
    throw reason;
  }
}

async function takeFile(path: string, clock: Clock, signal: AbortSignal): Promise<FileLock> {
  const own = { id: randomUUID(), pid: process.pid, host: hostname() };
  /** Pauses, not time: a holder must not be judged by one who has not looked, on a machine that had no time for either of them. */
  let seen: { readonly text: string; unchangedMs: number } | undefined;
  for (let pollMs = firstPollMs; ; pollMs = Math.min(2 * pollMs, maxPollMs)) {
    if (await createFileAtomic(path, textOf({ ...own, count: 0 }))) return held(path, own, clock);
    const text = (await readFileIfExists(path))?.toString();
    if (text === undefined) continue;
    // Age is counted here, from when we saw the content first: file times and other machines' clocks may be wrong.
    if (seen?.text !== text) seen = { text, unchangedMs: 0 };
    if (isGone(text) || seen.unchangedMs >= staleMs) {
      await writeFileAtomic(path, textOf({ ...own, count: 0 }));
      // Another process that saw the same may have replaced it after us: the last one has it.
      await sleep(clock, maxPollMs, signal);
      if (holderOf((await readFileIfExists(path))?.toString())?.id === own.id) return held(path, own, clock);
      continue;
    }
    await sleep(clock, pollMs, signal);
    seen.unchangedMs += pollMs;
  }
}

/** Returns true while somebody holds the lock file. A file whose process on this machine is gone counts as free. */
export async function isLocked(path: string): Promise<boolean> {
  const text = (await readFileIfExists(path))?.toString();
  return text !== undefined && !isGone(text);
}

/** Returns true while the lock file names this holder. Rejects when the file can't be read. */
export async function isHeldBy(path: string, id: string): Promise<boolean> {
  return holderOf((await readFileIfExists(path))?.toString())?.id === id;
}

/** Does the work with a signal that aborts with the caller's or when the lock is lost, and releases the lock. */
export async function whileHeld<T>(
  lock: Lock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const within = new AbortController();
  const sources = [signal, lock.signal];
  const onAbort = (): void => within.abort(sources.find(({ aborted }) => aborted)?.reason);
  for (const source of sources) source.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await work(within.signal);
  } finally {
    for (const source of sources) source.removeEventListener("abort", onAbort);
    await lock.release();
  }
}

function held(path: string, own: Omit<Holder, "count">, clock: Clock): FileLock {
  const lost = new AbortController();
  let timer: Timer;
  let count = 0;
  let refreshing: Promise<void> = Promise.resolve();

  async function refresh(): Promise<void> {
    try {
      if (holderOf((await readFileIfExists(path))?.toString())?.id === own.id) {
        await writeFileAtomic(path, textOf({ ...own, count: ++count }));
        return;
      }
    } catch {
      // A full disk: the others will take the lock, and then we see it.
      return;
    }
    lost.abort(new PortholeError("state", `Another process took over ${path}`));
  }
  function arm(): void {
    timer = clock.timer(refreshMs, () => {
      refreshing = refresh().then(() => {
        if (!lost.signal.aborted) arm();
      });
    });
  }
  arm();
  return {
    id: own.id,
    signal: lost.signal,
    async release() {
      timer.cancel();
      await refreshing;
      timer.cancel();
      if (holderOf((await readFileIfExists(path).catch(() => undefined))?.toString())?.id === own.id)
        await rm(path, { force: true });
    },
  };
}

/** A holder on this machine whose process is gone need not be waited for. */
function isGone(text: string): boolean {
  const holder = holderOf(text);
  if (holder === undefined) return false; // damaged, or just being written where there are no links
  if (holder.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (reason) {
    return (reason as NodeJS.ErrnoException).code === "ESRCH";
  }
}

function holderOf(text: string | undefined): Holder | undefined {
  try {
    const { id, pid, host, count } = JSON.parse(text ?? "") as Holder;
    const isHolder = typeof id === "string" && Number.isSafeInteger(pid) && pid > 0 && typeof host === "string";
    return isHolder ? { id, pid, host, count } : undefined;
  } catch {
    return undefined;
  }
}

function textOf(holder: Holder): string {
  return `${JSON.stringify(holder)}\n`;
}
