import { Duplex } from "node:stream";
import type { Clock, Timer } from "@porthole/common/util";
import type { Bandwidth } from "./bandwidth.ts";

type Callback = (error?: Error | null) => void;

/** A stream through which no more goes than a bandwidth lets through, in both directions together. It owns the stream inside. */
export class ThrottledStream extends Duplex {
  readonly #inner: Duplex;
  readonly #bandwidth: Bandwidth;
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();
  #isReading = false;
  /** A chunk waits for its turn. */
  #isPushing = false;
  #hasEnded = false;

  constructor(inner: Duplex, bandwidth: Bandwidth, clock: Clock) {
    super({ allowHalfOpen: true, autoDestroy: true, readableHighWaterMark: 0 });
    this.#inner = inner;
    this.#bandwidth = bandwidth;
    this.#clock = clock;
    inner.on("readable", () => this.#pull());
    inner.on("end", () => {
      this.#hasEnded = true;
      if (!this.#isPushing) this.push(null);
    });
    inner.on("error", (error) => this.destroy(error));
    inner.on("close", () => {
      if (!inner.readableEnded || !inner.writableFinished) this.destroy();
    });
  }

  override _read(): void {
    this.#isReading = true;
    this.#pull();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#after(this.#bandwidth.take(chunk.length), () => void this.#inner.write(chunk, callback));
  }

  override _final(callback: Callback): void {
    this.#inner.end(() => callback());
  }

  override _destroy(error: Error | null, callback: Callback): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#inner.destroy(error ?? undefined);
    callback(error);
  }

  #pull(): void {
    if (!this.#isReading || this.#isPushing) return;
    const chunk = this.#inner.read() as Buffer | null;
    if (chunk === null) return;
    this.#isReading = false;
    this.#isPushing = true;
    this.#after(this.#bandwidth.take(chunk.length), () => {
      this.#isPushing = false;
      this.push(chunk);
      if (this.#hasEnded) this.push(null);
    });
  }

  #after(delayMs: number, go: () => void): void {
    if (delayMs === 0) return go();
    const timer = this.#clock.timer(delayMs, () => {
      this.#timers.delete(timer);
      go();
    });
    this.#timers.add(timer);
  }
}
