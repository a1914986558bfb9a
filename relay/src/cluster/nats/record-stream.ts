import type { Consumer, JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { MsgHdrs, NatsConnection } from "@nats-io/transport-node";
import { PortholeError } from "@porthole/common/errors";
import { engineLimits, later, loadNats, type EngineConfig } from "./engine.ts";

/** A record as it is kept: sealed, at a subject and a place in the stream. */
export interface StoredRecord {
  readonly subject: string;
  readonly seq: number;
  readonly data: Uint8Array;
  /** Records of one update belong together; the last one says so. */
  readonly isWhole: boolean;
}

export interface StreamState {
  /** When the stream was made: another one has another history. */
  readonly created: string;
  readonly lastSeq: number;
}

/** How many servers keep each record, where there are as many. */
const replicas = 3;
const batchHeaders = { id: "Nats-Batch-Id", sequence: "Nats-Batch-Sequence", commit: "Nats-Batch-Commit" } as const;
const expectedHeader = "Nats-Expected-Last-Sequence";
const noStreamCode = 10_059;
/** Somebody else has written in the meantime. */
const lostRaceCodes: readonly number[] = [10_071, 10_164];

/** The stream of one cluster: the latest record of each subject, written only by who knows what the last one is. */
export class RecordStream {
  readonly name: string;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #prefix: string;

  private constructor(connection: NatsConnection, manager: JetStreamManager, config: EngineConfig) {
    this.#connection = connection;
    this.#manager = manager;
    this.name = streamName(config);
    this.#prefix = prefixOf(config);
  }

  /** `mayMake` says whether a missing stream is made: a relay that knows records has lost them. Rejects with `busy` or `state`. */
  static async open(connection: NatsConnection, config: EngineConfig, mayMake: boolean): Promise<RecordStream> {
    const { jetstream } = await loadNats();
    try {
      // What it asks at the beginning says nothing of whether JetStream has a leader.
      const manager = await jetstream.jetstreamManager(connection, {
        timeout: engineLimits.requestMs,
        checkAPI: false,
      });
      const stream = new RecordStream(connection, manager, config);
      if (mayMake && (await stream.#info()) === undefined) await stream.#make(config.servers.length);
      return stream;
    } catch (cause) {
      throw engineError(cause);
    }
  }

  async #make(servers: number): Promise<void> {
    const { jetstream } = await loadNats();
    await this.#manager.streams.add({
      ...{ name: this.name, subjects: [`${this.#prefix}>`], num_replicas: servers >= replicas ? replicas : 1 },
      ...{ max_msgs_per_subject: 1, storage: jetstream.StorageType.File },
      ...{ allow_atomic: true, deny_delete: true, deny_purge: true },
    });
  }

  /** Undefined when there is no such stream. */
  async #info(): Promise<StreamInfo | undefined> {
    const { jetstream } = await loadNats();
    try {
      return await this.#manager.streams.info(this.name);
    } catch (reason) {
      if (reason instanceof jetstream.JetStreamApiError && reason.code === noStreamCode) return undefined;
      throw reason;
    }
  }

  /** Undefined when the engine has no such stream any more. Rejects with `busy`. */
  async state(): Promise<StreamState | undefined> {
    try {
      const info = await this.#info();
      return info && { created: info.created, lastSeq: info.state.last_seq };
    } catch (cause) {
      throw engineError(cause);
    }
  }

  /**
   * Writes all of them or none, right after the record with the number `expected`. Resolves with the number of the last one, or
   * undefined when another record is the last one by then. Rejects with `busy` when the engine can't write now.
   */
  async append(
    records: readonly { readonly subject: string; readonly data: Uint8Array }[],
    expected: number,
  ): Promise<number | undefined> {
    const { transport } = await loadNats();
    const id = transport.nuid.next();
    const last = records.length - 1;
    const headersOf = (index: number): MsgHdrs => {
      const headers = transport.headers();
      if (index === 0) headers.set(expectedHeader, String(expected));
      if (last > 0) {
        headers.set(batchHeaders.id, id);
        headers.set(batchHeaders.sequence, String(index + 1));
        if (index === last) headers.set(batchHeaders.commit, "1");
      }
      return headers;
    };
    try {
      for (const [index, { subject, data }] of records.entries()) {
        const headers = headersOf(index);
        if (index < last) this.#connection.publish(this.#prefix + subject, data, { headers });
        else {
          const options = { headers, timeout: engineLimits.requestMs };
          const answer = await this.#connection.request(this.#prefix + subject, data, options);
          const { error, seq } = answer.json<{
            readonly error?: { readonly err_code?: number; readonly description?: string };
            readonly seq?: number;
          }>();
          if (error && lostRaceCodes.includes(error.err_code ?? 0)) return undefined;
          if (error || seq === undefined) throw new Error(error?.description ?? "no number");
          return seq;
        }
      }
      return expected;
    } catch (cause) {
      throw engineError(cause);
    }
  }

  /** Records after this number, and then those that are written; ends when the signal aborts. Rejects with `unreachable` when it can't continue. */
  async *read(after: number, signal: AbortSignal): AsyncGenerator<StoredRecord> {
    const { jetstream } = await loadNats();
    let consumer: Consumer;
    try {
      const from =
        after === 0
          ? { deliver_policy: jetstream.DeliverPolicy.All }
          : { deliver_policy: jetstream.DeliverPolicy.StartSequence, opt_start_seq: after + 1 };
      consumer = await jetstream.jetstream(this.#connection).consumers.get(this.name, from);
      // With longer times it takes a minute to notice that the consumer died with its server.
      const messages = await consumer.consume({ expires: 5_000, idle_heartbeat: 1_000 });
      const stop = (): void => void messages.close();
      signal.addEventListener("abort", stop, { once: true });
      if (signal.aborted) stop();
      try {
        for await (const { subject, seq, data, headers } of messages)
          yield {
            ...{ subject: subject.slice(this.#prefix.length), seq, data },
            isWhole: !headers?.has(batchHeaders.id) || headers.get(batchHeaders.commit) === "1",
          };
      } finally {
        signal.removeEventListener("abort", stop);
        await messages.close();
      }
    } catch (cause) {
      throw engineError(cause);
    }
  }
}

export function streamName({ name }: EngineConfig): string {
  return `PORTHOLE_${name}`;
}

function prefixOf({ name }: EngineConfig): string {
  return `porthole.${name}.`;
}

function engineError(cause: unknown): PortholeError {
  if (cause instanceof PortholeError) return cause;
  return later("The cluster's engine can't keep or read records now", cause);
}
