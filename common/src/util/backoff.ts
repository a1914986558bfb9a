export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  readonly random?: () => number;
}

/** Delays that double up to a maximum, with full jitter: each is anywhere between nothing and the present ceiling. */
export class Backoff {
  readonly #options: BackoffOptions;
  #ceilingMs: number;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#ceilingMs = options.firstMs;
  }

  /** `maxMs` bounds this delay alone. */
  next(maxMs: number = this.#options.maxMs): number {
    const delayMs = Math.ceil(Math.min(this.#ceilingMs, maxMs) * (this.#options.random ?? Math.random)());
    this.#ceilingMs = Math.min(this.#ceilingMs * 2, this.#options.maxMs);
    return delayMs;
  }

  /** A delay that counts for nothing else. */
  between(minMs: number, maxMs: number): number {
    return Math.ceil(minMs + (maxMs - minMs) * (this.#options.random ?? Math.random)());
  }

  reset(): void {
    this.#ceilingMs = this.#options.firstMs;
  }
}
