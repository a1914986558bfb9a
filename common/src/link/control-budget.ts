import { limits } from "../protocol/protocol.ts";
import type { Clock } from "../util/clock.ts";

/**
 * How many control messages a peer may send: so many at once and a second, and two for each stream, which may be aborted. An honest peer
 * is far below it; one that only wants us to be busy loses its link.
 */
export class ControlBudget {
  readonly #clock: Clock;
  #left: number = limits.controlBurst;
  #filledAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#filledAt = clock.monotonic();
  }

  /** A stream has begun. */
  earn(): void {
    this.#left += 2;
  }

  /** Whether one more message may come. */
  take(): boolean {
    const now = this.#clock.monotonic();
    const refill = ((now - this.#filledAt) / 1_000) * limits.controlPerSecond;
    this.#left = Math.max(this.#left, Math.min(limits.controlBurst, this.#left + refill));
    this.#filledAt = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
