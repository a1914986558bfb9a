import { LruCache, type Clock } from "@porthole/common/util";

/** Sources, or names, whose rate is remembered. */
const maxKeys = 65_536;
/** How many seconds' worth may come at once. */
const burstSeconds = 2;

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** A token bucket for each key. */
export class Rates {
  readonly #clock: Clock;
  readonly #buckets = new LruCache<Bucket>(maxKeys);
  readonly #perSecond: () => number;

  /** `perSecond` is asked each time, because it may be changed while the relay runs; 0 lets everything through. */
  constructor(clock: Clock, perSecond: () => number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Whether one more could come now. Takes nothing. */
  has(key: string): boolean {
    const perSecond = this.#perSecond();
    const bucket = this.#buckets.get(key);
    if (perSecond === 0 || !bucket) return true;
    return bucket.tokens + ((this.#clock.monotonic() - bucket.filledAt) / 1_000) * perSecond >= 1;
  }

  /** Whether one more may come now. */
  take(key: string): boolean {
    const perSecond = this.#perSecond();
    if (perSecond === 0) return true;
    const now = this.#clock.monotonic();
    const capacity = perSecond * burstSeconds;
    const bucket = this.#buckets.get(key) ?? { tokens: capacity, filledAt: now };
    bucket.tokens = Math.min(capacity, bucket.tokens + ((now - bucket.filledAt) / 1_000) * perSecond);
    bucket.filledAt = now;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
