import { limits } from "../limits.ts";
import type { Clock } from "@porthole/common/util";

/** Bounds how many requests of one visitor's connection a service owes an answer at once. */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #unanswered = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): Promise<void> | undefined {
    if (this.#unanswered + this.#waiting.size < limits.eagerServiceRequests) return undefined;
    return new Promise((resolve) => {
      const go = (): void => {
        patience.cancel();
        this.#waiting.delete(go);
        resolve();
      };
      const patience = this.#clock.timer(limits.serviceTurnPatienceMs, go);
      this.#waiting.add(go);
    });
  }

  take(): void {
    this.#unanswered += 1;
  }

  /** A request is answered, or will never be. */
  giveBack(): void {
    this.#unanswered -= 1;
    for (const go of this.#waiting) return go();
  }

  /** Nobody has to wait any more. */
  end(): void {
    for (const go of this.#waiting) go();
  }
}
