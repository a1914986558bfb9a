import { PortholeError } from "@porthole/common/errors";
import { Deadline, type Clock } from "@porthole/common/util";

/**
 * Aborts a visit whose header or handshake takes too long, or whose tunnel ends before. It has one timer and one listener, because every
 * visitor needs them. The owner calls `stop` once the handshake is done, or the visit over.
 */
export class VisitBeginning {
  /** Why it was aborted. */
  failure: PortholeError | undefined;
  readonly #deadline: Deadline;
  readonly #signal: AbortSignal;
  readonly #abort: (error: PortholeError) => void;

  /** `abort` is called at most once. It destroys the visitor's stream, which rejects every wait for it. Throws when `signal` has aborted. */
  constructor(clock: Clock, signal: AbortSignal, abort: (error: PortholeError) => void) {
    signal.throwIfAborted();
    this.#deadline = new Deadline(clock);
    this.#signal = signal;
    this.#abort = abort;
    signal.addEventListener("abort", this.#onAbort);
  }

  /** Sets the deadline of the next step. */
  within(delayMs: number, what: string): void {
    this.#deadline.set(delayMs, () =>
      this.#end(new PortholeError("timeout", `${what} took longer than ${delayMs / 1_000} s`)),
    );
  }

  stop(): void {
    this.#deadline.stop();
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.#end(PortholeError.from(this.#signal.reason));

  #end(error: PortholeError): void {
    this.failure = error;
    this.stop();
    this.#abort(error);
  }
}
