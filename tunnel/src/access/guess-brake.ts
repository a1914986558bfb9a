import { createHash } from "node:crypto";
import { sourceOf } from "@porthole/common/protocol";
import { LruCache, type Clock } from "@porthole/common/util";

/** A person who has forgotten which password it was. */
const freeGuesses = 5;
const firstDelayMs = 1_000;
const maxDelayMs = 15 * 60_000;
/** A source that has guessed nothing for this time starts over. */
const forgetMs = 60 * 60_000;
const maxSources = 10_000;
const maxRemembered = 16;
const reportEveryMs = 60_000;

interface Source {
  wrong: number;
  lastWrongAt: number;
  waitsUntil: number;
  /** Digests of the last wrong guesses: a browser that repeats the same one for each picture of a page guesses once. */
  tried: string[];
  /** Digests of what has let this source in: it stays in while somebody at the same address guesses. */
  right: string[];
}

/**
 * Slows the guessing of passwords and tokens down. After five wrong ones a source has to wait before the next one is looked at, twice as long after
 * each, up to 15 minutes; an hour without a wrong one ends that. Sources are IPv4 addresses and IPv6 /64 networks; 10,000 are remembered.
 */
export class GuessBrake {
  readonly #clock: Clock;
  readonly #onBrake: (address: string) => void;
  readonly #sources = new LruCache<Source>(maxSources);
  #reportedAt = -Infinity;

  /** `onBrake` is called when a source has to wait for the first time, at most once a minute. */
  constructor(clock: Clock, onBrake: (address: string) => void) {
    this.#clock = clock;
    this.#onBrake = onBrake;
  }

  /** Returns after how many milliseconds a guess of this source is looked at; 0 for at once. */
  waitMs(address: string, guess: string): number {
    const source = this.#sources.get(sourceOf(address));
    if (!source || source.right.includes(digestOf(guess))) return 0;
    return Math.max(0, source.waitsUntil - this.#clock.monotonic());
  }

  right(address: string, guess: string): void {
    const source = this.#source(address);
    remember(source.right, digestOf(guess));
  }

  wrong(address: string, guess: string): void {
    const source = this.#source(address);
    if (!remember(source.tried, digestOf(guess))) return;
    const now = this.#clock.monotonic();
    if (now - source.lastWrongAt > forgetMs) source.wrong = 0;
    source.wrong += 1;
    source.lastWrongAt = now;
    const over = source.wrong - freeGuesses;
    if (over < 0) return;
    source.waitsUntil = now + Math.min(firstDelayMs * 2 ** over, maxDelayMs);
    if (over > 0 || now - this.#reportedAt < reportEveryMs) return;
    this.#reportedAt = now;
    this.#onBrake(address);
  }

  #source(address: string): Source {
    const key = sourceOf(address);
    const known = this.#sources.get(key);
    if (known) return known;
    const made: Source = { wrong: 0, lastWrongAt: -Infinity, waitsUntil: -Infinity, tried: [], right: [] };
    this.#sources.set(key, made);
    return made;
  }
}

/** False when it is among them already. */
function remember(digests: string[], digest: string): boolean {
  if (digests.includes(digest)) return false;
  digests.push(digest);
  if (digests.length > maxRemembered) digests.shift();
  return true;
}

function digestOf(guess: string): string {
  return createHash("sha256").update(guess).digest("base64");
}
