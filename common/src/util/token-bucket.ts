import type { Clock } from "./clock.ts";

/** Limits what others can make us do: a burst, and a rate after it. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #atOnce: number;
  #left: number;
  #filledAt: number;

  constructor(clock: Clock, { perSecond, atOnce }: { readonly perSecond: number; readonly atOnce: number }) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#atOnce = atOnce;
    this.#left = atOnce;
    this.#filledAt = clock.monotonic();
  }

  /** Adds tokens beyond the usual burst, until they are taken. */
  add(count: number): void {
    this.#left += count;
  }

  /** Whether there may be one more. */
  take(): boolean {
    const now = this.#clock.monotonic();
    const filled = this.#left + ((now - this.#filledAt) / 1_000) * this.#perSecond;
    this.#left = Math.max(this.#left, Math.min(this.#atOnce, filled));
    this.#filledAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
