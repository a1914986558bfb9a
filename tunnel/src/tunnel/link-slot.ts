import { PortholeError } from "@porthole/common/errors";
import type { Link } from "@porthole/common/link";
import { Backoff, type Clock } from "@porthole/common/util";
import { keepLinkUp, type LoopState } from "./run-loop.ts";
import type { Session } from "./session.ts";

/** An attempt that is younger than this has seen the present network. */
const freshMs = 1_000;

export interface LinkSlotOptions {
  readonly transport: "quic" | "http2";
  readonly clock: Clock;
  readonly backoff: { readonly firstMs: number; readonly maxMs: number; readonly maxAfterServiceMs?: number };
  /** Whether an error before the first success is worth another attempt. Asked after each error. */
  readonly persistent: () => boolean;
  /** See LoopDeps. */
  readonly isAwaited: (slot: LinkSlot) => boolean;
  readonly connect: (signal: AbortSignal) => Promise<Session>;
  readonly onChange: (slot: LinkSlot) => void;
}

/** What the loop says, with what only that state needs. */
type SlotState =
  | {
      readonly status: "connecting";
      readonly startedAt: number;
      /** Ends the attempt. */
      readonly controller: AbortController;
      /** The next pause is skipped: what the attempt lacked has come since. */
      triesAgain: boolean;
    }
  | Extract<LoopState, { status: "online" | "failed" | "stopped" }>
  | (Extract<LoopState, { status: "waiting" }> & { readonly woken: Promise<void>; wake(): void });

/** `leaving`: another link should take its place. `retired`: only the present visitors finish on it. */
export type SlotPhase = "kept" | "leaving" | "retired";

/** A place for one link that is kept up until the slot is retired or stopped. */
export class LinkSlot {
  readonly transport: "quic" | "http2";
  /** Settles when the slot is over. Never rejects. */
  readonly done: Promise<void>;
  readonly #controller = new AbortController();
  readonly #backoff: Backoff;
  readonly #options: LinkSlotOptions;
  /** The loop replaces it before the constructor returns. */
  #state: SlotState = { status: "stopped" };
  #phase: SlotPhase = "kept";

  constructor(options: LinkSlotOptions, signal: AbortSignal) {
    this.transport = options.transport;
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
    const stop = (): void => this.#controller.abort(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    const isAwaited = (): boolean => options.isAwaited(this);
    this.done = keepLinkUp(
      {
        clock: options.clock,
        backoff: this.#backoff,
        maxPauseMs: options.backoff.maxAfterServiceMs,
        get persistent() {
          return options.persistent();
        },
        get isAwaited() {
          return isAwaited();
        },
        connect: (signal) => this.#connect(signal),
        onState: (state) => this.#onState(state),
        wake: () => (this.#state.status === "waiting" ? this.#state.woken : Promise.resolve()),
      },
      this.#controller.signal,
    ).finally(() => signal.removeEventListener("abort", stop));
  }

  get state(): LoopState {
    return this.#state;
  }

  get phase(): SlotPhase {
    return this.#phase;
  }

  /** The link, while it is up. */
  get link(): Link | undefined {
    return this.#state.status === "online" ? this.#state.session.link : undefined;
  }

  /** Tries now, if the slot waits. */
  wake(): void {
    this.#backoff.reset();
    if (this.#state.status === "waiting") this.#state.wake();
  }

  /** There is now what an attempt needs: it is made now, or once more if the one under way asked too early. */
  wakeOrRetry(): void {
    if (this.#state.status === "connecting") this.#state.triesAgain = true;
    this.wake();
  }

  /** The way to the relay is another one: an attempt that hangs on the old one starts over, and a link has to show that it is there. */
  recheck(): void {
    const state = this.#state;
    if (state.status === "online") void this.#verify(state.session.link);
    else if (state.status === "connecting" && this.#options.clock.monotonic() - state.startedAt > freshMs) {
      state.triesAgain = true;
      this.#backoff.reset();
      state.controller.abort(new PortholeError("unreachable", "The network has changed"));
    } else this.wake();
  }

  /** Another link should take its place; this one continues until it ends by itself, or is retired. */
  leave(): void {
    if (this.#phase !== "kept") return;
    this.#phase = "leaving";
    this.#endWith(this.link);
    this.#options.onChange(this);
  }

  /** No new visitors on this link; the present ones finish on it. */
  retire(reason: string): void {
    if (this.#phase === "retired") return;
    this.#phase = "retired";
    if (this.#state.status === "online") this.#state.session.retire(reason);
    this.#endWith(this.link);
  }

  async #connect(parent: AbortSignal): Promise<Session> {
    // The loop says that it connects before it does.
    const { controller } = this.#state as Extract<SlotState, { status: "connecting" }>;
    const stop = (): void => controller.abort(parent.reason);
    parent.addEventListener("abort", stop, { once: true });
    try {
      return await this.#options.connect(controller.signal);
    } finally {
      parent.removeEventListener("abort", stop);
    }
  }

  #onState(state: LoopState): void {
    this.#state = this.#enter(state);
    const changed = (): void => this.#options.onChange(this);
    if (state.status === "online") {
      const { link, drained } = state.session;
      link.onSilence(changed);
      void drained.then(() => {
        if (this.link === link) this.leave();
      });
    }
    changed();
  }

  #enter(state: LoopState): SlotState {
    switch (state.status) {
      case "connecting": {
        const startedAt = this.#options.clock.monotonic();
        return { ...state, startedAt, controller: new AbortController(), triesAgain: false };
      }
      case "waiting": {
        let wake = (): void => {};
        const woken = new Promise<void>((resolve) => (wake = resolve));
        if (this.#state.status === "connecting" && this.#state.triesAgain) wake();
        return { ...state, woken, wake };
      }
      case "online":
      case "failed":
      case "stopped":
        return state;
    }
  }

  async #verify(link: Link): Promise<void> {
    if (!(await link.probe()) && this.link === link) this.leave();
  }

  /** The slot's end is that of its link. */
  #endWith(link: Link | undefined): void {
    const end = (): void => this.#controller.abort(new PortholeError("aborted", "The link is not needed any more"));
    if (link) void link.closed.then(end);
    else end();
  }
}

/** Up, and not silent. */
export function isServing({ link }: LinkSlot): boolean {
  return link !== undefined && !link.isSilent;
}
