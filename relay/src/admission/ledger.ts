/**
 * Records that no relay may lose, changed by one at a time: in a file that a relay and its commands share, or in the engine of a
 * cluster. What is known is in memory, so reading never waits.
 */
export interface Ledger<T> {
  /** As of the last reading or writing. */
  readonly state: T;
  /**
   * Changes the state as it is by then, and resolves when the new one is kept. `change` is pure and may be called again; what it
   * throws leaves everything as it was. Rejects with `busy` when it can't be kept now: later, never no.
   */
  update(change: (state: T, now: number) => T, signal: AbortSignal): Promise<T>;
  /** Resolves when `state` is what it was on disk at the call, at least. For records that other processes change; absent where news comes by itself. */
  refresh?(): Promise<void>;
  /** Calls when another process or relay has changed it, until `close`. */
  watch(onChange: () => void): void;
  close(): Promise<void>;
}
