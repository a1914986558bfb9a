import { sleep, type Clock } from "../../util/index.ts";

/** Timers stand still while a machine sleeps, and somebody may set the clock: it looks again and again, the more often the nearer. */
const maxMs = 6 * 3_600_000;
const nearMs = 10 * 60_000;
const minMs = 1_000;

/** Resolves at the time or earlier, never at once; also when the signal aborts. */
export async function sleepUntil(clock: Clock, time: number, signal: AbortSignal): Promise<void> {
  const leftMs = Math.max(time - clock.now(), minMs);
  const pauseMs = Math.min(leftMs, Math.max(leftMs / 24, nearMs), maxMs);
  await sleep(clock, pauseMs, signal).catch(() => {});
}
