import type { CarrierStream } from "@porthole/common/link";
import type { Clock } from "@porthole/common/util";

/** quiche's own numbers (0.18, flowcontrol.rs), and ours for the first bytes of a stream and for the largest window. */
const firstWindowBytes = 32 * 1024;
const initialBytes = 256 * 1024;
const maxWindowBytes = 4 * 1024 * 1024;
/** The engine doubles a window that is used up within two round trips. We don't know them; no path that anyone likes is longer. */
const fastMs = 1_000;

interface Reader {
  window: number;
  sinceUpdate: number;
  updatedAt: number;
}

/**
 * Bounds what one link can make the lane hold. The engine keeps what a client has sent until the visitor takes it: a window for
 * each stream, which has grown with the visitor's speed, and the window of the whole connection is of no use (config.ts in
 * link/quic). So the windows of the streams whose visitors have stopped are added up, as they can be at most.
 */
export class HeldBytes {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #onExcess: (stream: CarrierStream) => void;
  /** Those whose visitors have stopped, the longest first, and what each may hold. */
  readonly #stopped = new Map<CarrierStream, number>();
  #total = 0;

  /** `onExcess`: this stream has to be given up. */
  constructor(clock: Clock, maxBytes: number, onExcess: (stream: CarrierStream) => void) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#onExcess = onExcess;
  }

  /** `stream` is piped to where the visitor is, which pauses it while the visitor does not read. */
  watch(stream: CarrierStream): void {
    const reader: Reader = { window: firstWindowBytes, sinceUpdate: 0, updatedAt: this.#clock.monotonic() };
    stream.on("data", (chunk: Buffer) => this.#onRead(reader, chunk.length));
    stream.on("pause", () => this.#stop(stream, Math.max(initialBytes, reader.window)));
    stream.on("resume", () => this.#go(stream));
    stream.on("end", () => this.#go(stream));
    stream.on("close", () => this.#go(stream));
  }

  #onRead(reader: Reader, bytes: number): void {
    reader.sinceUpdate += bytes;
    if (reader.sinceUpdate < reader.window / 2) return;
    const now = this.#clock.monotonic();
    if (now - reader.updatedAt < fastMs) reader.window = Math.min(2 * reader.window, maxWindowBytes);
    reader.sinceUpdate = 0;
    reader.updatedAt = now;
  }

  #stop(stream: CarrierStream, bytes: number): void {
    // A pipe pauses its source also when both are over.
    if (stream.destroyed || stream.readableEnded || this.#stopped.has(stream)) return;
    this.#stopped.set(stream, bytes);
    this.#total += bytes;
    while (this.#total > this.#maxBytes) {
      const [worst] = [...this.#stopped].reduce((one, other) => (other[1] > one[1] ? other : one));
      this.#go(worst);
      this.#onExcess(worst);
    }
  }

  #go(stream: CarrierStream): void {
    this.#total -= this.#stopped.get(stream) ?? 0;
    this.#stopped.delete(stream);
  }
}
