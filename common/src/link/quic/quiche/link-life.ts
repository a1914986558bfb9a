import type { Clock } from "../../../util/clock.ts";
import { limits } from "../../limits.ts";

/** How much of its life a QUIC connection has used; `limits.quicLife` says why it has an end. */
export class LinkLife {
  /** Streams that did not end in order. */
  abortedStreams = 0;
  readonly #clock: Clock;
  readonly #bornAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#bornAt = clock.monotonic();
  }

  /** 0 for a new connection, 1 and more for one that is to be replaced. `packets`: those of the busier direction. */
  exhaustion(packets: number): number {
    const { quicLife } = limits;
    return Math.max(
      packets / quicLife.packets,
      this.abortedStreams / quicLife.abortedStreams,
      (this.#clock.monotonic() - this.#bornAt) / quicLife.ageMs,
    );
  }
}
