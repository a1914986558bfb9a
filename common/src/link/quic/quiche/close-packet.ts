import type { QuicheConnection } from "./binding.ts";
import type { Transmitter } from "./transmitter.ts";

/** How often a CONNECTION_CLOSE is repeated for packets that come after it, in case it was lost (RFC 9000 section 10.2.1). */
const maxRepeats = 8;

/** The CONNECTION_CLOSE of a connection that has been closed by this side. */
export class ClosePacket {
  readonly #engine: QuicheConnection;
  readonly #transmitter: Transmitter;
  #packet: Buffer | undefined;
  #repeats = 0;

  constructor(engine: QuicheConnection, transmitter: Transmitter) {
    this.#engine = engine;
    this.#transmitter = transmitter;
  }

  get isSent(): boolean {
    return this.#packet !== undefined;
  }

  /** Congestion control holds it back, too: when the path is full, it leaves as the probe of the next time-out. */
  send(): void {
    const last = this.#transmitter.drain();
    if (this.#engine.isDraining()) this.#packet = last;
  }

  repeat(): void {
    if (this.#packet && this.#repeats++ < maxRepeats) this.#transmitter.repeat(this.#packet);
  }
}
