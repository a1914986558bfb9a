import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { Sealer } from "../sealed.ts";
import { noSharedRecords, withChanges, type Change, type SharedRecords } from "../shared-records.ts";
import { decodeChange } from "./record-wire.ts";
import type { StoredRecord } from "./record-stream.ts";

/** All records of a cluster, as far as this relay has read them. */
export class KnownRecords {
  readonly #sealer: Sealer;
  readonly #context: { readonly clock: Clock; readonly log: Logger };
  readonly #onChange = new Set<() => void>();
  /** Called when something was read. */
  readonly #waiting = new Set<() => void>();
  #state: SharedRecords = noSharedRecords;
  #revision = 0;
  /** The part of an update that is here before its last record. */
  #held: Change[] = [];

  constructor(sealer: Sealer, context: { readonly clock: Clock; readonly log: Logger }) {
    this.#sealer = sealer;
    this.#context = context;
  }

  get state(): SharedRecords {
    return this.#state;
  }

  /** Number of the last record. */
  get revision(): number {
    return this.#revision;
  }

  /** Begins with what was known before. */
  adopt(state: SharedRecords, revision: number): void {
    this.#state = state;
    this.#revision = revision;
  }

  watch(onChange: () => void): void {
    this.#onChange.add(onChange);
  }

  /** The rest of it will be read again. */
  forgetHalf(): void {
    this.#held = [];
  }

  /** Applies the engine's records in their order. Ignores and logs those that no relay has written. */
  apply(records: readonly StoredRecord[]): void {
    let state = this.#state;
    let whole: Change[] = [];
    let revision = this.#revision;
    for (const { subject, seq, data, isWhole } of records) {
      const text = this.#sealer.open(`${subject} ${seq}`, data);
      const change = text === undefined ? undefined : decodeChange(subject, text);
      if (change) this.#held.push(change);
      else
        this.#context.log.error({ subject, seq }, "The engine has a record that no relay has written; it is ignored");
      if (!isWhole) continue;
      whole = [...whole, ...this.#held];
      this.#held = [];
      revision = seq;
    }
    try {
      if (whole.length > 0) state = withChanges(state, whole);
    } catch (reason) {
      this.#context.log.error({}, `A record of the cluster is not valid: ${PortholeError.from(reason).message}`);
    }
    const isNews = state !== this.#state;
    this.#state = state;
    this.#revision = revision;
    this.tellWaiting();
    if (isNews) for (const onChange of this.#onChange) onChange();
  }

  /** Resolves when the condition holds; it is asked when something was read. Rejects with the signal's reason. */
  async until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition()) {
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        const go = (): void => {
          timer.cancel();
          this.#waiting.delete(go);
          signal.removeEventListener("abort", go);
          resolve();
        };
        const timer = this.#context.clock.timer(100, go);
        this.#waiting.add(go);
        signal.addEventListener("abort", go, { once: true });
      });
    }
  }

  tellWaiting(): void {
    for (const go of [...this.#waiting]) go();
  }
}
