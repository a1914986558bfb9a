import { PortholeError } from "../errors.ts";
import { Backoff, type Clock } from "../util/index.ts";
import { keepLinkUp, type LoopState } from "./run-loop.ts";
import type { Session } from "./session.ts";

export interface LinkSlotOptions {
  readonly transport: "quic" | "http2";
  readonly clock: Clock;
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
  /** Whether an error before the first success is worth another attempt. Asked after each error. */
  readonly persistent: () => boolean;
  readonly connect: (signal: AbortSignal) => Promise<Session>;
  readonly onChange: (slot: LinkSlot) => void;
}

/** A place for one link that is kept up until the slot is retired or stopped. */
export class LinkSlot {
  readonly transport: "quic" | "http2";
  /** Settles when the slot is over. Never rejects. */
  readonly done: Promise<void>;
  readonly #controller = new AbortController();
  readonly #backoff: Backoff;
  #state: LoopState = { status: "connecting" };
  #retired = false;
  #wake: () => void = () => {};

  constructor(options: LinkSlotOptions, signal: AbortSignal) {
    this.transport = options.transport;
    this.#backoff = new Backoff(options.backoff);
    const stop = (): void => this.#controller.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    this.done = keepLinkUp(
      {
        clock: options.clock,
        backoff: this.#backoff,
        get persistent() {
          return options.persistent();
        },
        connect: options.connect,
        onState: (state) => {
          this.#state = state;
          options.onChange(this);
        },
        wake: () =>
          new Promise((resolve) => {
            this.#wake = resolve;
          }),
      },
      this.#controller.signal,
    ).finally(() => signal.removeEventListener("abort", stop));
  }

  get state(): LoopState {
    return this.#state;
  }

  get retired(): boolean {
    return this.#retired;
  }

  /** Tries now, if the slot waits. */
  wake(): void {
    this.#backoff.reset();
    this.#wake();
  }

  /** No new visitors on this link; the present ones finish on it. */
  retire(reason: string): void {
    if (this.#retired) return;
    this.#retired = true;
    const end = (): void => this.#controller.abort(new PortholeError("aborted", reason));
    if (this.#state.status !== "online") return end();
    const { session } = this.#state;
    session.retire(reason);
    void session.link.closed.then(end);
  }
}
