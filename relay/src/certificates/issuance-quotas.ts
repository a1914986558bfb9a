import { readJson, writeJson, type Clock } from "@porthole/common/util";
import {
  noPermits,
  permitRefused,
  permitsLeft,
  readPermits,
  takePermit,
  type PermitLimits,
  type PermitsLeft,
  type PermitState,
} from "./issuance-quota.ts";

export interface PermitOffice {
  /**
   * Resolves when a certificate for the name may be ordered; rejects with `busy` and the time of the next permit. `member` is the
   * fingerprint of who answers for the client: keys cost nothing, so what is for all is shared by members.
   */
  take(name: string, member: string): Promise<void>;
  left(member: string): Promise<PermitsLeft>;
}

/**
 * Hands out the right to order certificates under one registered domain, so that no member can use up what the authority gives
 * to all. A permit counts once it is on disk. A damaged file is an error and no new start: that would be all permits once more.
 */
export function filePermits(path: string, clock: Clock, limits: PermitLimits): PermitOffice {
  let state: PermitState | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function load(): Promise<PermitState> {
    state ??= (await readJson(path, readPermits)) ?? noPermits;
    return state;
  }
  async function take(name: string, member: string): Promise<void> {
    const before = await load();
    const now = clock.now();
    const decision = takePermit(before, name, member, now, limits);
    if (!decision.granted) throw permitRefused(name, decision.nextAt, now, decision.limit);
    if (decision.state !== before) await writeJson(path, decision.state);
    state = decision.state;
  }

  return {
    take(name, member) {
      const turn = last.then(() => take(name, member));
      last = turn.catch(() => {});
      return turn;
    },
    async left(member) {
      return permitsLeft(await load(), member, clock.now(), limits);
    },
  };
}
