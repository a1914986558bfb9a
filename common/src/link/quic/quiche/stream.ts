import { Duplex } from "node:stream";
import type { TransportStream } from "../../types.ts";
import type { QuicheConnection } from "./binding.ts";
import { fromStreamFailure } from "./stream-failure.ts";

export type StreamEngine = Pick<QuicheConnection, "streamSend" | "streamRecv" | "streamCapacity">;

export interface StreamHooks {
  /** Something waits to be handed to the engine. */
  onWritable(stream: QuicStream): void;
  /** The reader wants more than it has got, and the engine may have it. */
  onReadable(stream: QuicStream): void;
  /** Called when bytes have been read from the engine. */
  onRead(bytes: number): void;
  /** The stream is over, for us; the engine frees it when the peer has acknowledged the end. */
  onGone(stream: QuicStream): void;
}

/** The outcome of a write: nothing is left, more can be taken at once, or the engine takes no more for now. */
export type SendResult = "idle" | "more" | "blocked";

const highWaterMark = 64 * 1024;
/**
 * The last byte of each direction, which goes with its FIN and is not passed on: it says whether the stream is complete or
 * was aborted. It is never absent: quiche 0.18 takes a stream for complete as soon
 * as its final size is acknowledged; a FIN without a byte is then forgotten with the stream, sent or not, lost or not, and
 * the reader waits indefinitely. What is read with a byte has the FIN too: they share a frame.
 */
const endMark = { whole: Buffer.of(0), aborted: Buffer.of(1) };
/** Receives one read. All streams share it, and each read is copied out at its exact size. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * One QUIC stream as a Duplex. It holds one chunk that the engine has not taken yet and asks the engine for bytes only while
 * its reader wants them, so that the windows of QUIC are the backpressure of both directions.
 */
export class QuicStream extends Duplex implements TransportStream {
  readonly id: number;
  readonly #engine: StreamEngine;
  readonly #hooks: StreamHooks;
  #exists: boolean;
  #detached = false;
  #aborted = false;
  #abortedByPeer = false;
  /** Destroyed, with its end still to be handed over. */
  #isLeaving = false;
  /** The engine knows the stream no more, or the peer doesn't want it. */
  #failed = false;
  #chunk: Buffer | undefined;
  #taken = 0;
  #onTaken: ((error?: Error | null) => void) | undefined;
  #finished = false;
  #wanted = false;
  #stalled = false;
  #ended = false;

  /** `exists`: the engine has the stream already. Otherwise writes wait for `appear`. */
  constructor(id: number, engine: StreamEngine, hooks: StreamHooks, exists: boolean) {
    super({ allowHalfOpen: true, highWaterMark });
    this.id = id;
    this.#engine = engine;
    this.#hooks = hooks;
    this.#exists = exists;
    // The end of a connection destroys streams that nobody may have taken yet; that must not end the process.
    this.on("error", () => {});
  }

  get exists(): boolean {
    return this.#exists;
  }

  get isAborted(): boolean {
    return this.#abortedByPeer;
  }

  /** Both directions have come to their end. */
  get isComplete(): boolean {
    return this.#finished && this.#ended;
  }

  /** The peer has opened the stream. */
  appear(): void {
    this.#exists = true;
    if (this.#onTaken) this.#hooks.onWritable(this);
  }

  /** The connection is over: the engine must not be asked any more. */
  detach(reason: Error): void {
    this.#detached = true;
    this.destroy(reason);
  }

  /**
   * Ends this direction without what the engine has not taken. The engine takes no more than congestion control
   * lets leave soon, so a given-up download of any size is over within a round trip.
   */
  abort(): void {
    this.#aborted = true;
    if (this.#chunk) this.#accepted();
    this.end();
  }

  /** Hands at most `maxBytes` to the engine. */
  sendSome(maxBytes: number): SendResult {
    if (!this.#onTaken && !this.#isLeaving) return "idle";
    if (!this.#exists) return "blocked";
    try {
      return this.#chunk ? this.#sendChunk(this.#chunk, maxBytes) : this.#sendEnd();
    } catch (reason) {
      this.#fail(reason);
      return "idle";
    }
  }

  /** Whether a stream that was blocked may continue. */
  hasCapacity(): boolean {
    try {
      return this.#exists && this.#engine.streamCapacity(this.id) > 0;
    } catch {
      // The next write finds out why.
      return true;
    }
  }

  /** Reads while the engine has something and the reader wants it. */
  receive(): void {
    while (this.#wanted && !this.#ended && !this.destroyed) {
      let result: [number, boolean] | null;
      try {
        result = this.#engine.streamRecv(this.id, scratch);
      } catch (reason) {
        this.#fail(reason);
        return;
      }
      if (!result) {
        this.#stalled = false;
        return;
      }
      const [read, fin] = result;
      this.#hooks.onRead(read);
      const length = fin ? Math.max(0, read - 1) : read;
      if (fin) {
        this.#ended = true;
        this.#abortedByPeer = scratch[length] === endMark.aborted[0];
      }
      // Copied: a view would keep 64 KiB alive for a byte, and a copy of a packet costs a tenth of a microsecond.
      if (length > 0) this.#wanted = this.push(Buffer.from(scratch.subarray(0, length)));
      if (fin) this.push(null);
    }
    this.#stalled = !this.#ended;
  }

  override _read(): void {
    this.#wanted = true;
    if (!this.#stalled) return;
    this.#stalled = false;
    this.#hooks.onReadable(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#offer(chunk, done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    // Small writes together fill packets, and a call into the engine costs more than the copy.
    this.#offer(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#onTaken = done;
    this.#hooks.onWritable(this);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const onTaken = this.#onTaken;
    this.#onTaken = undefined;
    this.#chunk = undefined;
    this.#hooks.onGone(this);
    // No RESET_STREAM and no STOP_SENDING: quiche 0.18 never frees a stream that was reset with unsent data, nor its credit.
    // What the peer still sends is read by the connection and dropped.
    if (!this.#detached && !this.#finished && !this.#failed) {
      this.#isLeaving = true;
      this.#hooks.onWritable(this);
    }
    onTaken?.(error ?? new Error("The stream was destroyed"));
    done(error);
  }

  #offer(chunk: Buffer, done: (error?: Error | null) => void): void {
    if (this.#aborted) return done();
    this.#chunk = chunk;
    this.#taken = 0;
    this.#onTaken = done;
    this.#hooks.onWritable(this);
  }

  #sendChunk(chunk: Buffer, maxBytes: number): SendResult {
    const rest = chunk.length - this.#taken;
    const offer = Math.min(rest, maxBytes);
    const piece = offer === chunk.length ? chunk : chunk.subarray(this.#taken, this.#taken + offer);
    const length = this.#engine.streamSend(this.id, piece, false);
    if (length === null) return "blocked";
    this.#taken += length;
    if (length < offer) return "blocked";
    if (length < rest) return "more";
    return this.#accepted();
  }

  #sendEnd(): SendResult {
    if (this.#finished) return "idle";
    const mark = this.#aborted || this.#isLeaving ? endMark.aborted : endMark.whole;
    if (this.#engine.streamSend(this.id, mark, true) === null) return "blocked";
    this.#finished = true;
    this.#isLeaving = false;
    return this.#accepted();
  }

  /** Tells the writer, who may give the next chunk, or the end, at once: it shares a packet with this one then. */
  #accepted(): SendResult {
    const onTaken = this.#onTaken;
    this.#chunk = undefined;
    this.#onTaken = undefined;
    onTaken?.();
    return this.#onTaken ? "more" : "idle";
  }

  #fail(reason: unknown): void {
    this.#failed = true;
    this.#isLeaving = false;
    this.destroy(fromStreamFailure(reason, `stream ${this.id}`));
  }
}
