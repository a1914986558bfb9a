import type { Clock } from "../../util/index.ts";

/** Timers stand still while a machine sleeps, and somebody may set the clock: it looks again and again, the more often the nearer. */
const maxMs = 6 * 3_600_000;
const nearMs = 10 * 60_000;
const minMs = 1_000;

/** A pause that somebody can end. */
export class InterruptibleSleep {
  readonly #clock: Clock;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves at the time or earlier, never at once; also when the signal aborts. */
  until(time: number, signal: AbortSignal): Promise<void> {
    const leftMs = Math.max(time - this.#clock.now(), minMs);
    const napMs = Math.min(leftMs, Math.max(leftMs / 24, nearMs), maxMs);
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel();
        signal.removeEventListener("abort", wake);
        this.#wake = undefined;
        resolve();
      };
      const timer = this.#clock.timer(napMs, wake);
      signal.addEventListener("abort", wake, { once: true });
      this.#wake = wake;
    });
  }

  end(): void {
    this.#wake?.();
  }
}
