import { setImmediate as turn } from "node:timers/promises";
import type { Clock, Timer } from "@porthole/common/util";

interface Pending {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Time that moves when a test says so, so that hours cost nothing and nothing happens by chance. Begins at 1 Jan 2026. */
export class FakeClock implements Clock {
  readonly #startMs = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Pending>();
  #passedMs = 0;

  now(): number {
    return this.#startMs + this.#passedMs;
  }

  monotonic(): number {
    return this.#passedMs;
  }

  timer(delayMs: number, callback: () => void): Timer {
    const pending = { dueMs: this.#passedMs + Math.max(0, delayMs), callback };
    this.#timers.add(pending);
    return { cancel: () => this.#timers.delete(pending) };
  }

  /** Timers that have neither run nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer; undefined without one. */
  get nextMs(): number | undefined {
    const next = this.#next();
    return next && next.dueMs - this.#passedMs;
  }

  /** Runs what is due by then, each at its own time; before and after each one, pending promises get a turn. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#passedMs + ms;
    await turn();
    for (let next = this.#next(); next && next.dueMs <= untilMs; next = this.#next()) {
      this.#timers.delete(next);
      this.#passedMs = next.dueMs;
      next.callback();
      await turn();
    }
    this.#passedMs = untilMs;
  }

  #next(): Pending | undefined {
    let next: Pending | undefined;
    for (const pending of this.#timers) if (!next || pending.dueMs < next.dueMs) next = pending;
    return next;
  }
}
