import { Duplex } from "node:stream";
import { PortholeError } from "../../../errors.ts";
import type { TransportStream } from "../../types.ts";
import { answers, type NativeEndpoint } from "./binding.ts";

export interface NativeStreamOptions {
  readonly endpoint: NativeEndpoint;
  readonly link: number;
  readonly id: number;
  readonly onGone: (stream: NativeStream) => void;
}

/** Receives one read. All streams share it, and each read is copied out at its exact size. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);
const highWaterMark = 64 * 1024;

/** A stream of the native engine as a Duplex. It holds one chunk that the engine has not taken yet. */
export class NativeStream extends Duplex implements TransportStream {
  readonly id: number;
  readonly #options: NativeStreamOptions;
  #chunk: Buffer | undefined;
  #onTaken: ((error?: Error | null) => void) | undefined;
  #isWanted = false;
  #isReading = false;
  #hasEnded = false;
  #isFinished = false;
  #isAborted = false;
  #isDetached = false;
  #abortedByPeer = false;

  constructor(options: NativeStreamOptions) {
    super({ allowHalfOpen: true, highWaterMark });
    this.id = options.id;
    this.#options = options;
    // The end of a connection destroys streams that nobody may have taken yet; that must not end the process.
    this.on("error", () => {});
  }

  get isAborted(): boolean {
    return this.#abortedByPeer;
  }

  /** Ends this direction without what the engine has not sent. */
  abort(): void {
    if (this.#isFinished) return;
    this.#isAborted = true;
    this.#finish(true);
    if (this.#chunk) this.#taken();
    this.end();
  }

  /** The connection is over: the engine knows the stream no more. */
  detach(reason: Error): void {
    this.#isDetached = true;
    this.destroy(reason);
  }

  /** The engine may have something. */
  receive(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isWanted && !this.#hasEnded && !this.destroyed && this.#readSome());
    this.#isReading = false;
  }

  /** The engine may take what it could not take before. */
  send(): void {
    const chunk = this.#chunk;
    if (!chunk) return;
    const { endpoint, link, id } = this.#options;
    const taken = endpoint.write(link, id, chunk);
    if (taken < 0) this.destroy(new PortholeError("closed", "The connection of this stream is over"));
    else if (taken < chunk.length) this.#chunk = chunk.subarray(taken);
    else this.#taken();
  }

  override _read(): void {
    this.#isWanted = true;
    this.receive();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#isAborted || chunk.length === 0) return done();
    this.#chunk = chunk;
    this.#onTaken = done;
    this.send();
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    // One call for many small writes.
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finish(false);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { endpoint, link, id, onGone } = this.#options;
    const onTaken = this.#onTaken;
    this.#chunk = undefined;
    this.#onTaken = undefined;
    if (!this.#isDetached) {
      this.#finish(true);
      endpoint.releaseStream(link, id);
    }
    onGone(this);
    onTaken?.(error ?? new Error("The stream was destroyed"));
    done(error);
  }

  #readSome(): boolean {
    const { endpoint, link, id } = this.#options;
    const read = endpoint.read(link, id, scratch);
    if (read > 0) {
      this.#isWanted = this.push(Buffer.from(scratch.subarray(0, read)));
      return true;
    }
    if (read === answers.whole || read === answers.aborted) {
      this.#hasEnded = true;
      this.#abortedByPeer = read === answers.aborted;
      this.push(null);
    }
    return false;
  }

  #finish(isAborted: boolean): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    const { endpoint, link, id } = this.#options;
    endpoint.finish(link, id, isAborted);
  }

  #taken(): void {
    const onTaken = this.#onTaken;
    this.#chunk = undefined;
    this.#onTaken = undefined;
    onTaken?.();
  }
}
