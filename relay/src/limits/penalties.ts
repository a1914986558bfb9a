import type { ErrorCode } from "@porthole/common/errors";
import { LruCache, type Clock } from "@porthole/common/util";

const maxSources = 65_536;
/** Below it a source is not kept out yet: everybody may do something wrong once. */
const minPenaltyMs = 15_000;

interface Penalty {
  endsAt: number;
  isEnforced: boolean;
  /** The code of the latest failure. */
  code: ErrorCode;
  /** How often it cost since it was last free. */
  times: number;
}

/** A source or a key that is kept out now. */
export interface Held {
  readonly source: string;
  readonly leftMs: number;
  readonly code: ErrorCode;
  readonly times: number;
}

/** OpenSSH's PerSourcePenalties: what a source's clients do wrong adds up, and keeps the source out once it is enough. */
export class Penalties {
  readonly #clock: Clock;
  readonly #maxMs: () => number;
  readonly #sources = new LruCache<Penalty>(maxSources);

  /** `maxMs` is asked each time; 0 keeps nobody out. */
  constructor(clock: Clock, maxMs: () => number) {
    this.#clock = clock;
    this.#maxMs = maxMs;
  }

  isKeptOut(source: string): boolean {
    return this.leftMs(source) > 0;
  }

  /** How long the source is kept out; 0 when it may come. */
  leftMs(source: string): number {
    const penalty = this.#present(source);
    return penalty?.isEnforced ? penalty.endsAt - this.#clock.monotonic() : 0;
  }

  /** Whether something that the source did still counts. */
  has(source: string): boolean {
    return this.#present(source) !== undefined;
  }

  /** Adds a cost. Returns the penalty when it keeps the source out from now on. */
  add(source: string, costMs: number, code: ErrorCode): Held | undefined {
    const now = this.#clock.monotonic();
    const before = this.#present(source);
    const endsAt = Math.min((before?.endsAt ?? now) + costMs, now + this.#maxMs());
    const wasEnforced = before?.isEnforced ?? false;
    const isEnforced = wasEnforced || endsAt - now >= minPenaltyMs;
    const times = (before?.times ?? 0) + 1;
    this.#sources.set(source, { endsAt, isEnforced, code, times });
    return isEnforced && !wasEnforced ? { source, leftMs: endsAt - now, code, times } : undefined;
  }

  /** Returns whether the source had been kept out. */
  forgive(source: string): boolean {
    const wasKeptOut = this.isKeptOut(source);
    this.#sources.delete(source);
    return wasKeptOut;
  }

  forgiveAll(isMeant: (source: string) => boolean): void {
    for (const [source] of this.#sources.entries()) if (isMeant(source)) this.#sources.delete(source);
  }

  /** Those that are kept out now, the longest first, at most so many. */
  held(max: number): readonly Held[] {
    const held: Held[] = [];
    for (const [source, { code, times }] of this.#sources.entries()) {
      const leftMs = this.leftMs(source);
      if (leftMs > 0) held.push({ source, leftMs, code, times });
    }
    return held.toSorted((a, b) => b.leftMs - a.leftMs).slice(0, max);
  }

  #present(source: string): Penalty | undefined {
    const penalty = this.#sources.get(source);
    if (!penalty) return undefined;
    if (this.#maxMs() > 0 && this.#clock.monotonic() < penalty.endsAt) return penalty;
    this.#sources.delete(source);
    return undefined;
  }
}
