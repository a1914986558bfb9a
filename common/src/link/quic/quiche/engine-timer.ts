import type { Clock, Timer } from "../../../util/clock.ts";
import type { QuicheConnection } from "./binding.ts";

/**
 * The one timer of a connection. It may fire too early, which costs nothing, and so it is only ever moved to an earlier time.
 * The connection cancels it at its end.
 */
export class EngineTimer {
  readonly #engine: QuicheConnection;
  readonly #clock: Clock;
  readonly #onTimer: () => void;
  #timer: Timer | undefined;
  #at = 0;

  constructor(engine: QuicheConnection, clock: Clock, onTimer: () => void) {
    this.#engine = engine;
    this.#clock = clock;
    this.#onTimer = onTimer;
  }

  /** Fires when the engine's next time-out is over, or at once while the pacer holds packets. */
  arm(isPaced: boolean): void {
    const delayMs = isPaced ? 0 : this.#engine.timeout();
    if (delayMs === null) return;
    // quiche rounds down, and a time-out that is not over yet would only be armed again.
    const at = this.#clock.monotonic() + delayMs + 1;
    if (this.#timer && this.#at <= at) return;
    this.#timer?.cancel();
    this.#at = at;
    this.#timer = this.#clock.timer(delayMs + 1, () => {
      this.#timer = undefined;
      this.#onTimer();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
