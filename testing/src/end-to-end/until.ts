import type { EventEmitter } from "node:events";

export { until } from "../until.ts";

/** As for `until`. */
const giveUpAfterMs = 60_000;

/** The promise's outcome, or an error that says what was awaited; mocha's own time-out can't say that. */
export async function soon<T>(
  promise: Promise<T>,
  what: string | (() => string),
  withinMs = giveUpAfterMs,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const giveUp = (): void =>
      reject(new Error(`Waited ${withinMs / 1_000} s in vain for ${typeof what === "string" ? what : what()}`));
    // What came while this process was busy, or had no processor, is read first.
    timer = setTimeout(() => setImmediate(() => setImmediate(giveUp)), withinMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Unlike events.once it takes an error for what it is here, a part of the end. */
export function closed(socket: EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
  });
}
