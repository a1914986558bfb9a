import type { ExchangeSummary, InspectorChanges } from "../inspector/index.ts";
import type { NotificationName, Notifications } from "./contract/index.ts";

/** Log lines, visits and requests that wait for a reader. */
const maxWaiting = 1_000;
/** The limit on recorded requests in one notification: some have long names. */
const maxRows = 500;
/** The limit on ids that are gone: a reader that is further behind asks for the whole list again. */
const maxRemoved = 10_000;

type State = Notifications["tunnel/state"];
type Bounded = "tunnel/visit" | "tunnel/request" | "log";

export type Send = <N extends NotificationName>(name: N, params: Notifications[N]) => Promise<void>;

/**
 * Notifications on their way out, one at a time. When the reader does not keep up, a state takes the place of the one
 * before it, a recorded request that of what was told about it, and visits, requests and log lines beyond `maxWaiting` are
 * dropped and counted.
 */
export class Outbox {
  readonly #send: Send;
  /** What is due, in order. States and recordings are only marked here: their newest value is beside. */
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #states = new Map<string, State>();
  readonly #changes = new Map<string, PendingChanges>();
  /** How many were missed, by name and tunnel. */
  readonly #missed = new Map<string, number>();
  #bounded = 0;
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

  visit(params: Pick<Notifications["tunnel/visit"], "id" | "visit">): void {
    this.#pushBounded("tunnel/visit", params.id, params);
  }

  request(params: Pick<Notifications["tunnel/request"], "id" | "request">): void {
    this.#pushBounded("tunnel/request", params.id, params);
  }

  log(line: Notifications["log"]): void {
    this.#pushBounded("log", "", line);
  }

  inspect(id: string, changes: InspectorChanges): void {
    const pending = this.#changes.get(id);
    if (pending) return pending.add(changes);
    this.#changes.set(id, new PendingChanges(changes));
    this.#pushChanges(id);
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.#pumping;
  }

  #pushChanges(id: string): void {
    this.#push(async () => {
      const pending = this.#changes.get(id) as PendingChanges;
      const changes = pending.take(maxRows);
      if (pending.isEmpty) this.#changes.delete(id);
      else this.#pushChanges(id);
      await this.#send("inspect/exchange", { id, changes });
    });
  }

  #pushBounded<N extends Bounded>(name: N, id: string, params: Notifications[N]): void {
    const key = `${name} ${id}`;
    const missed = this.#missed.get(key) ?? 0;
    if (this.#bounded >= maxWaiting) {
      this.#missed.set(key, missed + 1);
      return;
    }
    this.#missed.delete(key);
    this.#bounded += 1;
    this.#push(() => {
      this.#bounded -= 1;
      return this.#send(name, missed > 0 ? { ...params, missed } : params);
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

/** Changes of recordings that were not told yet: each row once. The inspector's own bound is ours too. */
class PendingChanges {
  readonly #rows = new Map<string, ExchangeSummary>();
  #removed: string[] = [];
  #status: InspectorChanges["status"];

  constructor(changes: InspectorChanges) {
    this.#status = changes.status;
    this.add(changes);
  }

  get isEmpty(): boolean {
    return this.#rows.size === 0 && this.#removed.length === 0;
  }

  add({ exchanges, removed, status }: InspectorChanges): void {
    this.#status = status;
    for (const id of removed) this.#rows.delete(id);
    this.#removed = [...this.#removed, ...removed].slice(-maxRemoved);
    for (const row of exchanges) this.#rows.set(row.id, row);
  }

  take(maxRowsNow: number): InspectorChanges {
    const exchanges = [...this.#rows.values()].toSorted((one, other) => one.seq - other.seq).slice(0, maxRowsNow);
    for (const { id } of exchanges) this.#rows.delete(id);
    const removed = this.#removed;
    this.#removed = [];
    return { exchanges, removed, status: this.#status };
  }
}
