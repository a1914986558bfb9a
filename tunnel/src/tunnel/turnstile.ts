/**
 * Lets so many pass in each turn of the event loop, in order. Between two turns the process reads what has come in the meantime, so that
 * a waiter can find out that its work is not wanted any more.
 */
export class Turnstile {
  readonly #perTurn: number;
  readonly #waiting: (() => void)[] = [];
  #isScheduled = false;

  constructor(perTurn: number) {
    this.#perTurn = perTurn;
  }

  pass(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      for (const resolve of this.#waiting.splice(0, this.#perTurn)) resolve();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }
}
