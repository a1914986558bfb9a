import type { ErrorCode } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";
import { LruCache } from "./lru-cache.ts";

const maxSources = 65_536;
/** Below it a source is not kept out yet: everybody may do something wrong once. */
const minPenaltyMs = 15_000;

/** What it costs not to be admitted: three of the worse ones keep a source out. What is not the client's doing costs nothing. */
const costMs: Readonly<Partial<Record<ErrorCode, number>>> = {
  unreachable: 1_000, // left during the handshake
  closed: 1_000,
  timeout: 10_000, // a connection that was held and not used
  untrusted: 6_000,
  unauthorized: 6_000,
  name: 1_000,
  version: 1_000,
  protocol: 6_000,
  limit: 6_000,
};

interface Penalty {
  endsAt: number;
  isEnforced: boolean;
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
    const penalty = this.#sources.get(source);
    if (!penalty) return false;
    if (this.#maxMs() > 0 && this.#clock.monotonic() < penalty.endsAt) return penalty.isEnforced;
    this.#sources.delete(source);
    return false;
  }

  add(source: string, code: ErrorCode): void {
    const cost = costMs[code];
    if (cost === undefined) return;
    const now = this.#clock.monotonic();
    const before = this.#sources.get(source);
    const endsAt = Math.min(Math.max(before?.endsAt ?? 0, now) + cost, now + this.#maxMs());
    const isEnforced = (before?.isEnforced === true && before.endsAt > now) || endsAt - now >= minPenaltyMs;
    this.#sources.set(source, { endsAt, isEnforced });
  }
}
