import { PortholeError } from "@porthole/common/errors";
import type { Welcome } from "@porthole/common/protocol";
import { sleep, type Clock } from "@porthole/common/util";
import { limits } from "./limits.ts";
import type { Session } from "./session.ts";

export interface SuccessorSearch {
  readonly clock: Clock;
  /** Asks the relay over TCP. Rejects when it does not answer. */
  readonly look: (signal: AbortSignal) => Promise<Welcome>;
}

/**
 * Ends the link of a silent QUIC session when the relay answers over TCP that it is another process by now: a relay that was killed has
 * said no goodbye over UDP, and its successor does not know the connection. Resolves when that has happened, when the link is heard again
 * or over, and when the same process answers: then UDP is at fault. Never rejects.
 */
export async function endAtSuccessor(
  { link, welcome }: Session,
  { clock, look }: SuccessorSearch,
  parent: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  void link.closed.then(() => over.abort());
  const signal = AbortSignal.any([parent, over.signal]);
  while (link.isSilent && !signal.aborted) {
    const answer = await look(signal).catch(() => undefined);
    if (answer) {
      const isOther = [answer.instance, welcome.instance].every((id) => id !== undefined);
      if (isOther && answer.instance !== welcome.instance && link.isSilent && !signal.aborted)
        link.destroy(new PortholeError("closed", "The relay was restarted"));
      return;
    }
    await sleep(clock, limits.redial.maxMs, signal).catch(() => {});
  }
}
