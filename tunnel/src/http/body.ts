import type { Readable } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";

/** Where a body's chunks go. */
export interface BodySink {
  /** False to be called back by `onDrain` before the next one. */
  write(chunk: Buffer): boolean;
  onDrain(callback: () => void): void;
  /** The body is whole. */
  end(): void;
  /** It broke off. */
  fail(error: PortholeError): void;
}

/** A body that can be looked at before it is carried on. Nothing is kept beyond what was looked at. */
export class Body {
  readonly #stream: Readable;
  readonly #isWhole: () => boolean;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #hasEnded = false;
  /** For deadlines: bytes that have come so far. */
  bytes = 0;
  /** It is the sink that is behind. */
  isHeldUp = false;

  /** `isWhole` is asked at the end: HTTP/2 streams of Node end in order also when they are cut off. */
  constructor(stream: Readable, isWhole: () => boolean) {
    this.#stream = stream;
    this.#isWhole = isWhole;
  }

  /** Waits for the whole body, for more than `maxBytes` of it, or so long. Rejects when it breaks off. */
  peek(
    maxBytes: number,
    deadline?: { readonly clock: Clock; readonly delayMs: number },
  ): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        timer?.cancel();
        stop();
        if (!this.#hasEnded) this.#stream.pause();
        resolve({ bytes: Buffer.concat(this.#held), isWhole: this.#hasEnded });
      };
      const stop = this.#read(
        (chunk) => {
          this.#held.push(chunk);
          this.#heldBytes += chunk.length;
          if (this.#heldBytes > maxBytes) done();
        },
        () => {
          this.#hasEnded = true;
          done();
        },
        (error) => {
          timer?.cancel();
          reject(error);
        },
      );
      const timer = deadline?.clock.timer(deadline.delayMs, done);
    });
  }

  /** Carries what was looked at, then the rest. Calls `end` or `fail` once, unless the returned function stops it. */
  carry(sink: BodySink): () => void {
    let canWrite = true;
    for (const chunk of this.#held.splice(0)) canWrite = sink.write(chunk);
    if (this.#hasEnded) {
      sink.end();
      return () => {};
    }
    const stop = this.#read(
      (chunk) => {
        if (!sink.write(chunk)) this.#holdUp();
      },
      () => sink.end(),
      (error) => sink.fail(error),
    );
    if (canWrite) this.#stream.resume();
    else this.#holdUp();
    sink.onDrain(() => {
      this.isHeldUp = false;
      this.#stream.resume();
    });
    return stop;
  }

  /** Nobody wants the rest. */
  discard(): void {
    this.#held = [];
    if (!this.#hasEnded && !this.#stream.destroyed) this.#stream.on("error", () => {}).resume();
  }

  #holdUp(): void {
    this.isHeldUp = true;
    this.#stream.pause();
  }

  #read(onChunk: (chunk: Buffer) => void, onEnd: () => void, onFail: (error: PortholeError) => void): () => void {
    const stream = this.#stream;
    let failure: Error | undefined;
    const onData = (chunk: Buffer): void => {
      this.bytes += chunk.length;
      onChunk(chunk);
    };
    const onError = (error: Error): void => void (failure = error);
    const end = (): void => {
      if (!this.#isWhole()) return onClose();
      stop();
      onEnd();
    };
    const onClose = (): void => {
      stop();
      if (failure instanceof PortholeError) onFail(failure);
      else onFail(new PortholeError("closed", "The body broke off before its end", { cause: failure }));
    };
    // The listener for errors stays: one that nobody listens to would end the process.
    const stop = (): void => void stream.off("data", onData).off("end", end).off("close", onClose);
    if (stream.readableEnded) queueMicrotask(end);
    else if (stream.destroyed) queueMicrotask(onClose);
    stream.on("data", onData).on("end", end).on("error", onError).on("close", onClose);
    return stop;
  }
}
