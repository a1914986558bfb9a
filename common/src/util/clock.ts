/** Time as an argument. Whatever waits takes a Clock, so that tests can turn hours into microseconds. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds of a clock that never jumps. */
  monotonic(): number;
  /** Calls back once, and when it is late not before what has arrived in the meantime was read. The timer never keeps a process alive. */
  timer(delayMs: number, callback: () => void): Timer;
}

/** The longest delay of a timer of Node's, about 25 days. A longer one would fire at once. */
export const longestTimerMs = 2 ** 31 - 1;

export interface Timer {
  cancel(): void;
}

/** Later than this a timer was held up by this process itself: it was busy, starved or stopped. */
const heldUpMs = 20;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, callback) {
    const dueAt = performance.now() + delayMs;
    let afterReading: NodeJS.Immediate | undefined;
    const handle = setTimeout(() => {
      // Node runs timers before it reads. Who has not been listening must not say that nothing came.
      if (performance.now() - dueAt > heldUpMs) afterReading = setImmediate(callback);
      else callback();
    }, delayMs);
    handle.unref();
    return {
      cancel() {
        clearTimeout(handle);
        clearImmediate(afterReading);
      },
    };
  },
};

/** Resolves after the delay, or rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const timer = clock.timer(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    function onAbort(): void {
      timer.cancel();
      reject(signal.reason as Error);
    }
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
