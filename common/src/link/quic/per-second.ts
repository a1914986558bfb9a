import type { Clock } from "../../util/clock.ts";

/** So many a second and no more, counted anew each second: for what strangers can make us do. */
export class PerSecond {
  readonly #clock: Clock;
  readonly #most: number;
  #left: number;
  #since: number;

  constructor(clock: Clock, most: number) {
    this.#clock = clock;
    this.#most = most;
    this.#left = most;
    this.#since = clock.monotonic();
  }

  /** Whether there may be one more. */
  take(): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#since >= 1_000) {
      this.#since = now;
      this.#left = this.#most;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
