import { PortholeError } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";
import type { RawHeaders } from "./exchange.ts";

/** Takes a body's bytes. */
export interface BodySink {
  /** False to be called back by `onDrain` before the next one. A chunk may be memory that is used again after the call: who keeps it copies it. */
  write(chunk: Buffer): boolean;
  onDrain(callback: () => void): void;
  /** The body is whole. */
  end(trailers: RawHeaders): void;
  /** It broke off. */
  fail(error: PortholeError): void;
}

/** Holds its source up while nobody takes the body. */
export interface BodySource {
  pause(): void;
  resume(): void;
}

/**
 * A message's body between the connection that brings it and its reader. Chunks are passed on by reference and at once; what comes before
 * somebody takes them is copied and held, and holds the source up.
 */
export class Body {
  readonly #source: BodySource;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #sink: BodySink | undefined;
  #state: "open" | "whole" | "broken" | "discarded" = "open";
  #trailers: RawHeaders = [];
  #failure: PortholeError | undefined;
  #onNews: (() => void) | undefined;
  /** Bytes that have come so far. */
  bytes = 0;
  /** It is the sink that is behind. */
  isHeldUp = false;

  constructor(source: BodySource) {
    this.#source = source;
  }

  get isWhole(): boolean {
    return this.#state === "whole";
  }

  /** Called by the source with the next bytes. */
  push(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.#state !== "open") return;
    if (this.#sink) {
      if (!this.#sink.write(chunk)) this.#holdUp();
      return;
    }
    this.#held.push(Buffer.from(chunk));
    this.#heldBytes += chunk.length;
    if (this.#onNews) this.#onNews();
    else this.#source.pause();
  }

  /** Called by the source when all of it has come. */
  finish(trailers: RawHeaders): void {
    if (this.#state !== "open") return;
    this.#state = "whole";
    this.#trailers = trailers;
    if (this.#sink) this.#sink.end(trailers);
    else this.#onNews?.();
  }

  /** Called by the source when no more will come, and it is incomplete. */
  breakOff(error: PortholeError): void {
    if (this.#state !== "open") return;
    this.#state = "broken";
    this.#failure = error;
    if (this.#sink) this.#sink.fail(error);
    else this.#onNews?.();
  }

  /**
   * Waits for the whole body, for more than `maxBytes` of it, or until the deadline. `onBytes` is called with the bytes that are held so far. What it has seen is carried on later. Rejects when the body
   * breaks off or is discarded, so that nobody waits for a visitor who has left.
   */
  peek(
    maxBytes: number,
    deadline?: { readonly clock: Clock; readonly delayMs: number },
    onBytes?: (bytes: number) => void,
  ): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        timer?.cancel();
        this.#onNews = undefined;
        if (this.#state === "open") this.#source.pause();
        resolve({ bytes: Buffer.concat(this.#held), isWhole: this.#state === "whole" });
      };
      const look = (): void => {
        onBytes?.(this.#heldBytes);
        if (this.#heldBytes > maxBytes || this.#state === "whole") return done();
        if (this.#state === "open") return;
        timer?.cancel();
        this.#onNews = undefined;
        reject(this.#failure ?? new PortholeError("aborted", "Nobody wants the rest of the body"));
      };
      const timer = deadline?.clock.timer(deadline.delayMs, done);
      this.#onNews = look;
      this.#source.resume();
      look();
    });
  }

  /** Carries what was held, then the rest. Calls `end` or `fail` once, unless it is discarded. */
  carry(sink: BodySink): void {
    if (this.#state === "discarded") return;
    this.#sink = sink;
    sink.onDrain(() => {
      if (!this.isHeldUp) return;
      this.isHeldUp = false;
      if (this.#state === "open") this.#source.resume();
    });
    let canWrite = true;
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const chunk of held) canWrite = sink.write(chunk);
    if (this.#state === "whole") return sink.end(this.#trailers);
    if (this.#state === "broken" && this.#failure) return sink.fail(this.#failure);
    if (!canWrite) this.#holdUp();
    else if (held.length > 0) this.#source.resume();
  }

  /** Nobody wants the rest: it is read and dropped. */
  discard(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#sink = undefined;
    if (this.#state !== "open") return;
    this.#state = "discarded";
    this.#onNews?.();
    this.#source.resume();
  }

  #holdUp(): void {
    this.isHeldUp = true;
    if (this.#state === "open") this.#source.pause();
  }
}
