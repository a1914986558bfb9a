import { Duplex } from "node:stream";
import { PortholeError, type ErrorCode } from "../errors.ts";
import type { Clock, Timer } from "../util/clock.ts";
import type { TransportStream, LinkStream } from "./types.ts";
import { limits } from "./limits.ts";

export interface LinkStreamHooks {
  readonly clock: Clock;
  /** Called when bytes have come, or the transport has taken what it could not take before. */
  onHeard(bytes: number): void;
  /** Bytes are on their way to the peer. */
  onSent(bytes: number): void;
  /** Tells the peer that this side has aborted the stream. `onSent` is called once when the transport has taken the message. */
  onAbort(stream: number, code: ErrorCode, onSent: () => void): void;
  /** The transport's stream is gone, its credit is free again. */
  onGone(stream: number): void;
}

/**
 * A connection's stream with a `destroy()` that never resets it. A reset costs the link: Node's HTTP/2 server ends the whole
 * session after about 1,000 of them, and quiche 0.18 never frees a stream that was reset with unsent data. So an abort is
 * a control message, and after this object was destroyed the connection's stream is ended and read to its end.
 * The peer must not take that end for an orderly one. A transport with `abort()` marks the end itself; over the others the end
 * is written after the message has left, because HTTP/2 does not keep the order of two streams.
 */
export class TransportLinkStream extends Duplex implements LinkStream {
  readonly id: number;
  bytesRead = 0;
  bytesWritten = 0;
  readonly #raw: TransportStream;
  readonly #hooks: LinkStreamHooks;
  #onDrain: (() => void) | undefined;
  #sawEnd = false;
  #abortedByPeer = false;
  #drainTimer: Timer | undefined;

  constructor(raw: TransportStream, hooks: LinkStreamHooks) {
    super({ allowHalfOpen: true });
    this.id = raw.id;
    this.#raw = raw;
    this.#hooks = hooks;
    raw.on("data", (chunk: Buffer) => {
      this.bytesRead += chunk.length;
      hooks.onHeard(chunk.length);
      if (!this.destroyed && !this.push(chunk)) raw.pause();
    });
    raw.on("end", () => {
      // Node's HTTP/2 streams emit "end" also when they are torn down; a truncated stream must not look like a whole one.
      if (this.destroyed || raw.destroyed) return;
      // The message that says so may be on its way yet: streams overtake one another.
      if (raw.isAborted) return this.abortByPeer("aborted");
      this.#sawEnd = true;
      this.push(null);
    });
    raw.on("drain", () => {
      hooks.onHeard(0);
      this.#takeDrain()?.();
    });
    raw.on("error", (cause) => {
      this.destroy(PortholeError.from(cause));
    });
    raw.on("close", () => {
      this.#drainTimer?.cancel();
      if (!this.destroyed && (!this.#sawEnd || !this.writableFinished))
        this.destroy(new PortholeError("closed", "The link of this stream ended"));
      hooks.onGone(this.id);
    });
    raw.pause();
  }

  /** The peer has aborted the stream. */
  abortByPeer(code: ErrorCode): void {
    this.#abortedByPeer = true;
    this.destroy(new PortholeError("aborted", `The other side aborted this stream (${code})`));
  }

  override _read(): void {
    this.#raw.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#hooks.onSent(chunk.length);
    this.bytesWritten += chunk.length;
    if (this.#raw.write(chunk)) done();
    else this.#onDrain = done;
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#raw.cork();
    let room = true;
    for (const { chunk } of chunks) {
      this.#hooks.onSent(chunk.length);
      this.bytesWritten += chunk.length;
      room = this.#raw.write(chunk);
    }
    this.#raw.uncork();
    if (room) done();
    else this.#onDrain = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#raw.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const raw = this.#raw;
    this.#takeDrain()?.(error);
    // What broke here may be whole at the other end, which would continue to send.
    if (raw.destroyed && !this.#sawEnd && !this.#abortedByPeer) this.#tellAbort(error, () => {});
    if (!raw.destroyed && !(this.#sawEnd && raw.writableFinished)) {
      raw.resume();
      // A side that has said everything leaves without a message, as with TCP: only a peer that still sends has to know.
      if (!error && this.writableFinished) raw.once("data", () => this.#tellAbort(error, () => {}));
      else this.#abortRaw(error);
      this.#drainTimer = this.#hooks.clock.timer(limits.abortDrainMs, () => raw.destroy());
    }
    done(error);
  }

  #abortRaw(error: Error | null): void {
    const raw = this.#raw;
    if (raw.abort) {
      raw.abort();
      if (!this.#abortedByPeer) this.#tellAbort(error, () => {});
      return;
    }
    const end = (): void => {
      if (!raw.destroyed && !raw.writableEnded) raw.end();
    };
    if (this.#abortedByPeer) end();
    else this.#tellAbort(error, end);
  }

  #tellAbort(error: Error | null, onSent: () => void): void {
    this.#hooks.onAbort(this.id, error instanceof PortholeError ? error.code : "aborted", onSent);
  }

  #takeDrain(): ((error?: Error | null) => void) | undefined {
    const callback = this.#onDrain;
    this.#onDrain = undefined;
    return callback;
  }
}
