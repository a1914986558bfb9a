import type { NatsConnection } from "@nats-io/transport-node";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { deadline, sleep, type Clock, type Secret } from "@porthole/common/util";
import { pruned, type Ledger } from "../../admission/index.ts";
import { createSealer, type Sealer } from "../sealed.ts";
import { differences, type SharedRecords } from "../shared-records.ts";
import { connectEngine, later, reconnects, type EngineConfig } from "./engine.ts";
import { KnownRecords } from "./known-records.ts";
import { MirrorFile } from "./mirror-file.ts";
import { sealChanges } from "./record-wire.ts";
import { RecordStream, type StoredRecord } from "./record-stream.ts";

export interface NatsLedgerOptions {
  readonly engine: EngineConfig;
  readonly secret: Secret;
  /** File with the relay's copy of the records, for a start without the engine. Absent for a command. */
  readonly mirrorPath?: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface LedgerReport {
  readonly isConnected: boolean;
  /** Number of the last record that is known here. */
  readonly revision: number;
  /** Why the engine's records are not taken over, or can't be had. */
  readonly failure: string | undefined;
}

const limits = {
  /** From the first attempt of an update to its last one. */
  updateMs: 15_000,
  againMs: 1_000,
  /** How often it is compared with the engine, and written down. */
  checkMs: 10_000,
  firstReadMs: 30_000,
  pruneMs: 3_600_000,
} as const;

/** One connection to the engine, while it lasts. */
interface Session {
  readonly connection: NatsConnection;
  readonly stream: RecordStream;
}

/**
 * The ledger of a cluster, in one JetStream stream. Each relay has all records in memory. A change is applied to them, and the
 * difference is written if nobody else was faster; otherwise the change is applied to what the other one has made of them.
 */
export class NatsLedger implements Ledger<SharedRecords> {
  readonly #options: NatsLedgerOptions;
  readonly #sealer: Sealer;
  readonly #mirrorFile: MirrorFile | undefined;
  readonly #stop = new AbortController();
  readonly #known: KnownRecords;
  #created: string | undefined;
  #session: Session | undefined;
  #failure: PortholeError | undefined;
  #prunedAt = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #running: Promise<void> = Promise.resolve();

  private constructor(options: NatsLedgerOptions) {
    this.#options = options;
    this.#sealer = createSealer(options.secret, "records");
    this.#known = new KnownRecords(this.#sealer, options);
    const { mirrorPath: path, log } = options;
    this.#mirrorFile =
      path === undefined ? undefined : new MirrorFile(path, createSealer(options.secret, "mirror"), log);
  }

  /**
   * Resolves when everything is known, or when the engine can't be had and the relay's own copy serves. Rejects with `unreachable`,
   * `busy`, `version` or `usage`, and with `state` for an engine that has lost records.
   */
  static async open(options: NatsLedgerOptions): Promise<NatsLedger> {
    const ledger = new NatsLedger(options);
    const mirror = await ledger.#mirrorFile?.read();
    if (mirror) {
      ledger.#created = mirror.created;
      ledger.#known.adopt(mirror.records, mirror.revision);
    }
    const first = ledger.#serve();
    ledger.#running = ledger.#keep(first);
    try {
      const { clock } = options;
      const { signal, release } = deadline(
        clock,
        limits.firstReadMs,
        "Reading the cluster's records",
        ledger.#stop.signal,
      );
      try {
        await Promise.race([ledger.#isRead(signal), first]);
      } finally {
        release();
      }
    } catch (reason) {
      const error = PortholeError.from(reason);
      if (!mirror || !error.retryable) {
        await ledger.close();
        throw error;
      }
      options.log.warn({ hint: error.hint }, `${error.message}; known clients are served, and nothing can be changed`);
    }
    return ledger;
  }

  get state(): SharedRecords {
    return this.#known.state;
  }

  report(): LedgerReport {
    return {
      isConnected: this.#session !== undefined && this.#failure === undefined,
      revision: this.#known.revision,
      failure: this.#failure?.message,
    };
  }

  watch(onChange: () => void): void {
    this.#known.watch(onChange);
  }

  update(change: (state: SharedRecords, now: number) => SharedRecords, signal: AbortSignal): Promise<SharedRecords> {
    // One after the other at this relay: they would only outrun each other.
    const turn = this.#turn.then(() => this.#update(change, signal));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async close(): Promise<void> {
    this.#stop.abort(new PortholeError("closed", "The ledger is closed"));
    await this.#running;
    await this.#write();
  }

  async #update(
    change: (state: SharedRecords, now: number) => SharedRecords,
    signal: AbortSignal,
  ): Promise<SharedRecords> {
    const { clock } = this.#options;
    const { signal: within, release } = deadline(clock, limits.updateMs, "A change of the cluster's records", signal);
    try {
      for (;;) {
        const [before, at] = [this.#known.state, this.#known.revision];
        let after: SharedRecords;
        try {
          after = this.#pruned({ ...before, ...change(before, clock.now()) });
        } catch (refusal) {
          // What it misses may have been written by another relay a moment ago.
          if (await this.#isCurrent(at, within)) throw refusal;
          continue;
        }
        const changes = differences(before, after);
        if (changes.length === 0) return before;
        const stream = this.#writable();
        const seq = await stream.append(sealChanges(this.#sealer, changes, at), at);
        within.throwIfAborted();
        if (seq !== undefined) {
          await this.#known.until(() => this.#known.revision >= seq, within);
          return this.#known.state;
        }
        // Another relay was faster.
        await this.#known.until(() => this.#known.revision > at, within);
      }
    } catch (reason) {
      if (signal.aborted || (reason instanceof PortholeError && reason.code !== "timeout")) throw reason;
      throw later("The cluster's records can't be changed now", reason);
    } finally {
      release();
    }
  }

  /** False when something was written that was not known here; then it is by now. */
  async #isCurrent(at: number, signal: AbortSignal): Promise<boolean> {
    const lastSeq = await this.#guard(this.#writable());
    if (this.#known.revision === at && lastSeq <= at) return true;
    await this.#known.until(() => this.#known.revision >= lastSeq, signal);
    return false;
  }

  /** Now and then, what nothing needs any more. */
  #pruned(records: SharedRecords): SharedRecords {
    const now = this.#options.clock.now();
    if (now < this.#prunedAt + limits.pruneMs) return records;
    this.#prunedAt = now;
    return { ...records, ...pruned(records, now) };
  }

  #writable(): RecordStream {
    if (this.#failure && !this.#failure.retryable) throw this.#failure;
    if (!this.#session) throw later("The cluster's engine can't be reached now");
    return this.#session.stream;
  }

  /** Connects again and again, until the ledger is closed. Never rejects. */
  async #keep(first: Promise<void>): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stop;
    for (let serving = first; ; serving = this.#serve()) {
      try {
        await serving;
      } catch (reason) {
        const error = PortholeError.from(reason);
        if (!signal.aborted && this.#failure?.message !== error.message)
          log.error({ code: error.code, hint: error.hint, cause: error.causeText }, error.message);
        this.#failure = error;
      }
      if (signal.aborted) return;
      await sleep(clock, limits.againMs, signal).catch(() => {});
      if (signal.aborted) return;
    }
  }

  /** One session: ends when the ledger closes, rejects when it has to begin again. */
  async #serve(): Promise<void> {
    const { engine } = this.#options;
    const connection = await connectEngine(engine, "porthole-relay");
    const over = new AbortController();
    const signal = AbortSignal.any([this.#stop.signal, over.signal]);
    try {
      const stream = await RecordStream.open(connection, engine, this.#created === undefined);
      await this.#guard(stream);
      this.#session = { connection, stream };
      await Promise.race([this.#readOn(stream, signal), this.#check(connection, stream, signal)]);
    } finally {
      this.#session = undefined;
      over.abort(new PortholeError("closed", "The session is over"));
      this.#known.forgetHalf();
      await connection.close().catch(() => {});
    }
  }

  /** Rejects with `state` for a stream that lacks records which this relay has seen: what was revoked would be valid again. */
  async #guard(stream: RecordStream): Promise<number> {
    const state = await stream.state();
    const isSame = this.#created === undefined || this.#created === state?.created;
    if (!state || !isSame || state.lastSeq < this.#known.revision)
      throw new PortholeError("state", "The cluster's engine has lost records that this relay knows", {
        hint: "The old ones stay in force, and nothing can be changed. Restore the engine's files; or stop all relays and write them back: porthole-relay cluster restore",
      });
    this.#created = state.created;
    this.#failure = undefined;
    if (state.lastSeq === this.#known.revision) this.#known.tellWaiting();
    return state.lastSeq;
  }

  async #readOn(stream: RecordStream, signal: AbortSignal): Promise<void> {
    let batch: StoredRecord[] = [];
    let due: Promise<void> | undefined;
    for await (const record of stream.read(this.#known.revision, signal)) {
      batch.push(record);
      // Many at once: at the start there may be a hundred thousand.
      due ??= Promise.resolve().then(() => {
        const all = batch;
        [batch, due] = [[], undefined];
        this.#known.apply(all);
      });
    }
    if (!signal.aborted) throw new PortholeError("closed", "The cluster's engine has ended the reading of its records");
  }

  /** Compares with the engine now and then: what was missed is read again, and a stream that was rolled back is not followed. */
  async #check(connection: NatsConnection, stream: RecordStream, signal: AbortSignal): Promise<never> {
    const { clock } = this.#options;
    const reconnected = reconnects(connection);
    for (;;) {
      const before = this.#known.revision;
      // The server that it is connected to now may be another one, or may have been restored.
      await Promise.race([sleep(clock, limits.checkMs, signal), reconnected.next()]);
      signal.throwIfAborted();
      const last = await this.#guard(stream).catch((reason: unknown) => {
        const error = PortholeError.from(reason);
        // Reading continues without a leader.
        if (error.code === "state") throw error;
        return undefined;
      });
      await this.#write();
      if (last !== undefined && last > this.#known.revision && this.#known.revision === before)
        throw new PortholeError("closed", "Records of the cluster do not arrive");
    }
  }

  /** Resolves when everything that the engine has is known. */
  async #isRead(signal: AbortSignal): Promise<void> {
    await this.#known.until(() => this.#session !== undefined, signal);
    const last = this.#session && (await this.#guard(this.#session.stream));
    await this.#known.until(() => this.#known.revision >= (last ?? 0), signal);
  }

  async #write(): Promise<void> {
    const created = this.#created;
    if (created !== undefined)
      await this.#mirrorFile?.write({ created, revision: this.#known.revision, records: this.#known.state });
  }
}
