import { PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";

/** Rates are measured over at least this time; a body that has only begun is not compared. */
const windowMs = 1_000;

/** A body that is read to check its signature. Its user closes it. */
export interface HeldBody {
  /** Aborts with `busy` when it has to give way. */
  readonly signal: AbortSignal;
  /** `bytes` of it are held now. */
  grow(bytes: number): void;
  close(): void;
}

interface Entry {
  readonly controller: AbortController;
  bytes: number;
  /** When the rate is measured from, and what had come by then. */
  markAt: number;
  markBytes: number;
  /** Bytes per millisecond in the last window that is over. */
  rate: number;
}

/**
 * Bounds the bodies that strangers make us hold, all together, by the bytes that have come and not by those that are announced. When they are too many, the
 * slowest one gives way: a sender without progress cannot shut the others out.
 */
export class HeldBodies {
  readonly #maxBytes: number;
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  #bytes = 0;

  constructor(maxBytes: number, clock: Clock) {
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  /** Bytes that are held now. */
  get bytes(): number {
    return this.#bytes;
  }

  open(): HeldBody {
    const entry: Entry = {
      ...{ controller: new AbortController(), bytes: 0 },
      ...{ markAt: this.#clock.monotonic(), markBytes: 0, rate: Infinity },
    };
    this.#entries.add(entry);
    return {
      signal: entry.controller.signal,
      grow: (bytes) => this.#grow(entry, bytes),
      close: () => this.#remove(entry),
    };
  }

  #grow(entry: Entry, bytes: number): void {
    if (!this.#entries.has(entry)) return;
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    while (this.#bytes > this.#maxBytes) {
      const slowest = this.#slowest() ?? entry;
      this.#remove(slowest);
      slowest.controller.abort(new PortholeError("busy", "Too many bodies are being checked"));
    }
  }

  #remove(entry: Entry): void {
    if (this.#entries.delete(entry)) this.#bytes -= entry.bytes;
  }

  /** Returns the slowest of those that hold something and have had the time to show their rate. Bytes that came fast and long ago count for nothing. */
  #slowest(): Entry | undefined {
    const now = this.#clock.monotonic();
    let slowest: Entry | undefined;
    let least = Infinity;
    for (const entry of this.#entries) {
      const elapsedMs = now - entry.markAt;
      if (elapsedMs >= windowMs) {
        entry.rate = (entry.bytes - entry.markBytes) / elapsedMs;
        entry.markAt = now;
        entry.markBytes = entry.bytes;
      }
      if (entry.bytes === 0 || entry.rate >= least) continue;
      slowest = entry;
      least = entry.rate;
    }
    return slowest;
  }
}
