import type { Clock } from "./clock.ts";

/** A sum in which what was added long ago counts less: half after each `halfLifeMs`. */
export class DecayingSum {
  readonly #clock: Clock;
  readonly #halfLifeMs: number;
  #sum = 0;
  #at: number;

  constructor(clock: Clock, halfLifeMs: number) {
    this.#clock = clock;
    this.#halfLifeMs = halfLifeMs;
    this.#at = clock.monotonic();
  }

  add(amount: number): void {
    const now = this.#clock.monotonic();
    this.#sum = this.#valueAt(now) + amount;
    this.#at = now;
  }

  get value(): number {
    return this.#valueAt(this.#clock.monotonic());
  }

  #valueAt(now: number): number {
    return this.#sum === 0 ? 0 : this.#sum * 2 ** ((this.#at - now) / this.#halfLifeMs);
  }
}
