import { PortholeError } from "@porthole/common/errors";
import { sleep, type Backoff, type Clock } from "@porthole/common/util";
import type { Session } from "./session.ts";
import { limits } from "./limits.ts";

export type LoopState =
  /** `redialOf`: why the link ended that is probably back in a moment, see limits.redial. */
  | { readonly status: "connecting"; readonly redialOf?: PortholeError }
  | { readonly status: "online"; readonly session: Session }
  | {
      readonly status: "waiting";
      /** At most. */
      readonly delayMs: number;
      /** When the next attempt begins, in milliseconds since 1970. */
      readonly nextTryAt: number;
      /** Failed attempts since the link was up last, or since the beginning; redials don't count. */
      readonly attempts: number;
      readonly error: PortholeError;
    }
  /** Trying again is useless; the loop is over. */
  | { readonly status: "failed"; readonly error: PortholeError }
  | { readonly status: "stopped" };

export interface LoopDeps {
  readonly clock: Clock;
  readonly backoff: Backoff;
  /** The longest pause once the relay has admitted us. */
  readonly maxPauseMs?: number | undefined;
  /**
   * Tries again after every error but a refusal by the relay and a missing part of this machine. Read after every error:
   * the relay may have admitted another link of ours in the meantime.
   */
  readonly persistent: boolean;
  /** Whether visitors wait for this link: then it is redialled, see limits.redial. Read after every error. */
  readonly isAwaited: boolean;
  connect(signal: AbortSignal): Promise<Session>;
  onState(state: LoopState): void;
  /** Cuts a wait short when it resolves. Asked again for every wait. */
  wake(): Promise<void>;
}

/**
 * Keeps one link up until the signal aborts, or until the relay's answer says that trying again is useless. A relay that
 * has admitted us once is retried until it refuses us: any other error may be the network in between (a captive
 * portal, a relay that is being replaced).
 */
export async function keepLinkUp(deps: LoopDeps, signal: AbortSignal): Promise<void> {
  let wasAdmitted = false;
  let attempts = 0;
  let redials: number = limits.redial.attempts;
  let redialOf: PortholeError | undefined;
  while (!signal.aborted) {
    const startedAt = deps.clock.monotonic();
    deps.onState({ status: "connecting", ...(redialOf ? { redialOf } : {}) });
    try {
      const session = await deps.connect(signal);
      wasAdmitted = true;
      attempts = 0;
      const onlineAt = deps.clock.monotonic();
      deps.onState({ status: "online", session });
      const end = await session.serve(signal);
      if (deps.clock.monotonic() - onlineAt >= limits.redial.afterServiceMs) redials = limits.redial.attempts;
      throw end;
    } catch (reason) {
      if (signal.aborted) break;
      const error = PortholeError.from(reason);
      if (isFinal(error, wasAdmitted || deps.persistent)) {
        deps.onState({ status: "failed", error });
        return;
      }
      const mayRedial = deps.isAwaited && (wasAdmitted || deps.persistent);
      if (mayRedial && redials > 0 && isBackSoon(error)) {
        const { minMs, maxMs, attempts: all } = limits.redial;
        const isFirst = redials === all;
        redials -= 1;
        redialOf = error;
        deps.onState({ status: "waiting", delayMs: maxMs, attempts, nextTryAt: deps.clock.now() + maxMs, error });
        await pause(deps, isFirst ? deps.backoff.between(0, minMs) : deps.backoff.between(minMs, maxMs), signal);
        continue;
      }
      redialOf = undefined;
      if (deps.clock.monotonic() - startedAt >= limits.reconnect.stableAfterMs) deps.backoff.reset();
      const maxPauseMs = wasAdmitted ? longestPauseMs(error, deps.maxPauseMs) : undefined;
      const delayMs = Math.max(deps.backoff.next(maxPauseMs), error.retryAfterMs ?? 0);
      attempts += 1;
      deps.onState({ status: "waiting", delayMs, attempts, nextTryAt: deps.clock.now() + delayMs, error });
      await pause(deps, delayMs, signal);
    }
  }
  deps.onState({ status: "stopped" });
}

/** Reset or refused, as when a program is replaced. Silence and a relay that says no have pauses of their own. */
function isBackSoon({ code, retryAfterMs }: PortholeError): boolean {
  return retryAfterMs === undefined && (code === "closed" || code === "unreachable");
}

/** After service. A relay that drops connections because too many come at once is there, and takes the rest in a few seconds. */
function longestPauseMs({ code }: PortholeError, maxMs: number | undefined): number | undefined {
  return code === "busy" ? Math.min(limits.reconnect.maxBusyMs, maxMs ?? Number.POSITIVE_INFINITY) : maxMs;
}

/** Whether trying again is useless. `persistent`: the relay has admitted us before. */
export function isFinal(error: PortholeError, persistent: boolean): boolean {
  // A relay that can't judge us now says when it may be able to; a client that it had let in before comes back then.
  if (persistent && error.isRefusal && error.retryAfterMs !== undefined) return false;
  const hopeless = error.isRefusal || error.code === "unavailable" || error.code === "key";
  return hopeless || (!persistent && !error.retryable);
}

/** Ends with the delay, with `wake`, or with the signal. */
async function pause(deps: LoopDeps, delayMs: number, signal: AbortSignal): Promise<void> {
  const { clock } = deps;
  const woken = new AbortController();
  const stop = (): void => woken.abort();
  signal.addEventListener("abort", stop, { once: true });
  void deps.wake().then(stop);
  await sleep(clock, delayMs, woken.signal).catch(() => {});
  signal.removeEventListener("abort", stop);
}
