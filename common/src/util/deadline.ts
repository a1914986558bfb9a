import type { Clock, Timer } from "./clock.ts";

/**
 * A deadline that is set and cleared for every message of a connection. A timer that runs already is kept: setting it costs a look at
 * the clock, and clearing it nothing. The owner calls `stop` at the end.
 */
export class Deadline {
  readonly #clock: Clock;
  #timer: Timer | undefined;
  /** When the timer fires. */
  #firesAt = 0;
  #dueAt = 0;
  #callback: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls back once after the delay, unless it is set again or cleared before. */
  set(delayMs: number, callback: () => void): void {
    this.#callback = callback;
    this.#dueAt = this.#clock.monotonic() + delayMs;
    if (this.#timer && this.#firesAt <= this.#dueAt) return;
    this.#timer?.cancel();
    this.#start(delayMs);
  }

  clear(): void {
    this.#callback = undefined;
  }

  /** Also ends the timer. */
  stop(): void {
    this.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #start(delayMs: number): void {
    this.#firesAt = this.#dueAt;
    this.#timer = this.#clock.timer(delayMs, () => this.#fire());
  }

  #fire(): void {
    this.#timer = undefined;
    const callback = this.#callback;
    if (!callback) return;
    const leftMs = this.#dueAt - this.#firesAt;
    if (leftMs > 0) return this.#start(leftMs);
    this.#callback = undefined;
    callback();
  }
}
