import type { Clock } from "@porthole/common/util";

/** Burst, as the time that it would take at the full rate. */
const burstMs = 250;

/** Spreads bytes over time (GCRA): every chunk waits until those before it have had theirs. */
export class Bandwidth {
  readonly #clock: Clock;
  readonly #bytesPerSecond: () => number;
  #busyUntil = 0;

  /** `bytesPerSecond` is asked each time; 0 is no limit. */
  constructor(clock: Clock, bytesPerSecond: () => number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
  }

  get isLimited(): boolean {
    return this.#bytesPerSecond() > 0;
  }

  /** Takes so many bytes. Returns how long to wait before they go. */
  take(bytes: number): number {
    const rate = this.#bytesPerSecond();
    if (rate === 0) return 0;
    const now = this.#clock.monotonic();
    this.#busyUntil = Math.max(this.#busyUntil, now) + (bytes / rate) * 1_000;
    return Math.max(0, this.#busyUntil - now - burstMs);
  }
}
