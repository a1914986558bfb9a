import type { NotificationName, Notifications } from "./contract.ts";

/** Log lines and visits that wait for a reader. */
const maxWaiting = 1_000;

type State = Notifications["tunnel/state"];
type Visit = Notifications["tunnel/visit"];

export type Send = <N extends NotificationName>(name: N, params: Notifications[N]) => Promise<void>;

/**
 * Notifications on their way out, one at a time. When the reader does not keep up, a state takes the place of the one
 * before it, and visits and log lines beyond `maxWaiting` are dropped and counted.
 */
export class Outbox {
  readonly #send: Send;
  /** In order; of a state only the tunnel's id, its newest value is in `#states`. */
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #states = new Map<string, State>();
  readonly #missedVisits = new Map<string, number>();
  #bounded = 0;
  #missedLines = 0;
  #pumping: Promise<void> | undefined;

  constructor(send: Send) {
    this.#send = send;
  }

  state(params: State): void {
    const { id } = params;
    const isWaiting = this.#states.has(id);
    this.#states.set(id, params);
    if (isWaiting) return;
    this.#push(() => {
      const newest = this.#states.get(id) as State;
      this.#states.delete(id);
      return this.#send("tunnel/state", newest);
    });
  }

  visit({ id, visit }: Pick<Visit, "id" | "visit">): void {
    const missed = this.#missedVisits.get(id) ?? 0;
    if (this.#bounded >= maxWaiting) {
      this.#missedVisits.set(id, missed + 1);
      return;
    }
    this.#missedVisits.delete(id);
    this.#pushBounded(() => this.#send("tunnel/visit", { id, visit, ...(missed > 0 ? { missed } : {}) }));
  }

  log(line: Notifications["log"]): void {
    if (this.#bounded >= maxWaiting) {
      this.#missedLines += 1;
      return;
    }
    const missed = this.#missedLines;
    this.#missedLines = 0;
    this.#pushBounded(() => this.#send("log", { ...line, ...(missed > 0 ? { missed } : {}) }));
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#pumping;
  }

  #pushBounded(send: () => Promise<void>): void {
    this.#bounded += 1;
    this.#push(() => {
      this.#bounded -= 1;
      return send();
    });
  }

  #push(send: () => Promise<void>): void {
    this.#waiting.push(send);
    this.#pumping ??= this.#pump();
  }

  async #pump(): Promise<void> {
    // What is pushed in the same turn belongs together: states coalesce.
    await Promise.resolve();
    for (let send = this.#waiting.shift(); send; send = this.#waiting.shift()) {
      // Nobody is there any more: the end of the connection is seen elsewhere.
      await send().catch(() => {});
    }
    this.#pumping = undefined;
  }
}
