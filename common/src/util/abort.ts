import { PortholeError } from "../errors.ts";
import type { Clock } from "./clock.ts";

/** A signal that aborts with a `timeout` error after `delayMs`, or when `parent` aborts. Call `release` when the work is done. */
export function deadline(
  clock: Clock,
  delayMs: number,
  what: string,
  parent?: AbortSignal,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  const timer = clock.timer(delayMs, () => {
    controller.abort(new PortholeError("timeout", `${what} took longer than ${delayMs / 1000} s`));
  });
  const onParentAbort = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) onParentAbort();
  parent?.addEventListener("abort", onParentAbort, { once: true });
  return {
    signal: controller.signal,
    release() {
      timer.cancel();
      parent?.removeEventListener("abort", onParentAbort);
    },
  };
}

/** The promise's outcome, or the signal's reason if that comes first. The work itself is not stopped. */
export async function orAbort<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {});
    throw signal.reason;
  }
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (onAbort) signal.removeEventListener("abort", onAbort);
  }
}

/** Runs `work` with a signal that aborts after `delayMs` or with the parent, and rejects then even if `work` hangs. */
export async function withDeadline<T>(
  options: {
    readonly clock: Clock;
    readonly delayMs: number;
    readonly what: string;
    readonly signal?: AbortSignal | undefined;
  },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, release } = deadline(options.clock, options.delayMs, options.what, options.signal);
  try {
    return await orAbort(signal, work(signal));
  } finally {
    release();
  }
}
