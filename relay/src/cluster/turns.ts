import { PortholeError } from "@porthole/common/errors";
import { sleep, type Clock, type Lock, type Timer } from "@porthole/common/util";
import type { Ledger } from "../admission/index.ts";
import { limits } from "./limits.ts";
import type { SharedRecords } from "./shared-records.ts";

export interface TurnOptions {
  readonly ledger: Ledger<SharedRecords>;
  /** Who takes it. */
  readonly node: string;
  readonly clock: Clock;
}

/**
 * Waits until no other relay of the cluster does this, and takes the turn. A turn lasts `limits.turn.lifetimeMs` and is extended while it
 * is held, so that of a killed relay ends by itself. Relays' clocks may differ by part of that. Rejects with the signal's reason. The
 * caller releases it.
 */
export async function takeTurn(what: string, options: TurnOptions, signal: AbortSignal): Promise<Lock> {
  const { clock } = options;
  for (;;) {
    try {
      await extend(what, options, signal);
      return new Turn(what, options);
    } catch (reason) {
      signal.throwIfAborted();
      // Another relay has it, or the engine is away.
      if (PortholeError.from(reason).code !== "busy") throw reason;
    }
    await sleep(clock, limits.turn.lookEveryMs, signal);
  }
}

class Turn implements Lock {
  readonly #what: string;
  readonly #options: TurnOptions;
  readonly #lost = new AbortController();
  #timer: Timer | undefined;
  #isOver = false;
  #until: number;

  constructor(what: string, options: TurnOptions) {
    this.#what = what;
    this.#options = options;
    this.#until = options.clock.monotonic() + limits.turn.lifetimeMs;
    this.#keep();
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    const { ledger, node, clock } = this.#options;
    this.#isOver = true;
    this.#timer?.cancel();
    const stop = new AbortController();
    const giveUp = clock.timer(limits.turn.releaseMs, () => stop.abort());
    try {
      await ledger.update((state) => without(state, this.#what, node), stop.signal);
    } catch {
      // It ends by itself.
    } finally {
      giveUp.cancel();
    }
  }

  #keep(): void {
    const { clock } = this.#options;
    this.#timer = clock.timer(limits.turn.extendEveryMs, () => {
      extend(this.#what, this.#options, this.#lost.signal).then(
        () => {
          this.#until = clock.monotonic() + limits.turn.lifetimeMs;
          if (!this.#isOver) this.#keep();
        },
        (reason: unknown) => this.#missed(reason),
      );
    });
  }

  #missed(reason: unknown): void {
    if (this.#isOver) return;
    const { clock } = this.#options;
    if (clock.monotonic() + limits.turn.extendEveryMs < this.#until) return this.#keep();
    this.#lost.abort(
      new PortholeError("state", `The turn to do "${this.#what}" is lost`, { cause: PortholeError.from(reason) }),
    );
  }
}

/** Rejects with `busy` when another relay has it. */
async function extend(what: string, { ledger, node }: TurnOptions, signal: AbortSignal): Promise<void> {
  await ledger.update((state, now) => {
    const held = state.turns[what];
    if (held && held.node !== node && held.until > now)
      throw new PortholeError("busy", "Another relay of the cluster does it now");
    return { ...state, turns: { ...state.turns, [what]: { node, until: now + limits.turn.lifetimeMs } } };
  }, signal);
}

function without(state: SharedRecords, what: string, node: string): SharedRecords {
  if (state.turns[what]?.node !== node) return state;
  const { [what]: _released, ...turns } = state.turns;
  return { ...state, turns };
}
