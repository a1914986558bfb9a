import type { PortholeError } from "../../../errors.ts";
import { AsyncQueue } from "../../../util/async-queue.ts";
import type { TransportStream } from "../../types.ts";
import type { QuicheConnection } from "./binding.ts";
import { PeerStreamIds } from "./peer-stream-ids.ts";
import { QuicStream, type StreamHooks } from "./stream.ts";

/** Stream 0, the first that a client opens (RFC 9000 section 2.1), is the control stream. */
export const controlId = 0;

export interface StreamTableOptions {
  /** The lowest id that the peer may open, the control stream apart. */
  readonly firstOfPeer: number;
  /** Bytes that came on a stream which is gone. */
  readonly onDiscard: (bytes: number) => void;
}

/** The streams of one connection, by id. */
export class StreamTable {
  readonly control: QuicStream;
  /** Streams that the peer has opened, in the order of their first bytes. */
  readonly incoming = new AsyncQueue<TransportStream>();
  readonly #engine: QuicheConnection;
  readonly #hooks: StreamHooks;
  readonly #options: StreamTableOptions;
  readonly #streams = new Map<number, QuicStream>();
  readonly #peerIds: PeerStreamIds;

  constructor(engine: QuicheConnection, hooks: StreamHooks, options: StreamTableOptions) {
    this.#engine = engine;
    this.#hooks = hooks;
    this.#options = options;
    this.#peerIds = new PeerStreamIds(options.firstOfPeer);
    this.control = new QuicStream(controlId, engine, hooks, false);
    this.#streams.set(controlId, this.control);
  }

  get hasControl(): boolean {
    return this.#streams.has(controlId);
  }

  /** Streams in use, the control stream not counted. */
  get openCount(): number {
    return this.#streams.size - (this.hasControl ? 1 : 0);
  }

  /** Takes the control stream into use. `preamble` sends or reads its first byte; throws when there is none. */
  beginControl(preamble: () => unknown): void {
    if (preamble() === null) throw new Error("no room for a byte");
    // Control messages leave before visitors' bytes.
    this.#engine.streamPriority(controlId, 0, true);
    this.control.appear();
  }

  adopt(id: number): QuicStream {
    const stream = new QuicStream(id, this.#engine, this.#hooks, true);
    this.#streams.set(id, stream);
    return stream;
  }

  /** Reads what the engine has of a stream. One that the peer has opened with it becomes `incoming`. */
  receive(id: number): void {
    let stream = this.#streams.get(id);
    if (!stream && this.#peerIds.isNew(id)) {
      stream = this.adopt(id);
      this.incoming.push(stream);
    }
    if (stream) stream.receive();
    else this.#discard(id);
  }

  delete(stream: QuicStream): void {
    this.#streams.delete(stream.id);
  }

  /** Ends every stream, and `incoming`. */
  end(reason: PortholeError): void {
    for (const stream of this.#streams.values()) stream.detach(reason);
    this.incoming.end();
  }

  /** Drops what still comes on a stream that this side has aborted, or its credit would never come back. */
  #discard(id: number): void {
    try {
      for (;;) {
        const read = this.#engine.streamRecv(id, Buffer.allocUnsafe(4096));
        if (!read) return;
        this.#options.onDiscard(read[0]);
      }
    } catch {
      // Reset, or freed: both are its end.
    }
  }
}
