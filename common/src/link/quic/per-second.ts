import type { Clock } from "../../util/clock.ts";

/** What may come at once: a twentieth of a second's. A whole second's, all at its start, would be felt by everybody else. */
const burstSeconds = 0.05;

/** So many a second and no more: for what strangers can make us do. */
export class PerSecond {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#burst = perSecond * burstSeconds;
    this.#left = this.#burst;
    this.#at = clock.monotonic();
  }

  /** Whether there may be one more. */
  take(): boolean {
    const now = this.#clock.monotonic();
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) / 1_000) * this.#perSecond);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
