import type { QuicStream } from "./stream.ts";

/** Twelve packets: large enough that a call into the engine is cheap, small enough that streams take turns. */
const quantumBytes = 16 * 1024;

/** The streams of one connection that have something to write, in turns. */
export class WriteQueue {
  // Sets keep the order of insertion: a stream that has had its turn goes to the end.
  readonly #ready = new Set<QuicStream>();
  readonly #blocked = new Set<QuicStream>();

  add(stream: QuicStream): void {
    this.#blocked.delete(stream);
    this.#ready.add(stream);
  }

  /** Call it when packets have come: they may bring credit. */
  unblock(): void {
    for (const stream of this.#blocked) if (stream.hasCapacity()) this.add(stream);
  }

  /** Hands to the engine what it takes: no more than congestion control lets leave soon. */
  run(): void {
    // The loop also visits what is added in the meantime, again and again until everything is idle or blocked.
    for (const stream of this.#ready) {
      this.#ready.delete(stream);
      const result = stream.sendSome(quantumBytes);
      if (result === "more") this.#ready.add(stream);
      else if (result === "blocked") this.#blocked.add(stream);
    }
  }
}
