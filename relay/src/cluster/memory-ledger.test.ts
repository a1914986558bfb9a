import { PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";
import type { Ledger } from "../admission/index.ts";
import { noSharedRecords, type SharedRecords } from "./shared-records.ts";

/** The records of a cluster without an engine, for several relays of one test. */
export class MemoryLedger implements Ledger<SharedRecords> {
  readonly #clock: Clock;
  readonly #watchers = new Set<() => void>();
  state = noSharedRecords;
  isAway = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async update(
    change: (state: SharedRecords, now: number) => SharedRecords,
    signal: AbortSignal,
  ): Promise<SharedRecords> {
    await Promise.resolve();
    signal.throwIfAborted();
    if (this.isAway) throw new PortholeError("busy", "The engine is away");
    const after = change(this.state, this.#clock.now());
    if (after === this.state) return after;
    this.state = after;
    for (const watcher of this.#watchers) watcher();
    return after;
  }

  watch(onChange: () => void): void {
    this.#watchers.add(onChange);
  }

  async close(): Promise<void> {}
}
