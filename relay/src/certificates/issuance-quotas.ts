import { lockFile, readJson, whileHeld, withDeadline, writeJson, type Clock } from "@porthole/common/util";
import {
  noQuotaUsed,
  quotaExceeded,
  quotaLeft,
  readQuotas,
  takeQuota,
  type QuotaLimits,
  type QuotaLeft,
  type QuotaState,
} from "./issuance-quota.ts";

/** Others may have the file for a moment. */
const takeMs = 10_000;

export interface IssuanceQuotas {
  /**
   * Resolves when a certificate for the name may be ordered; rejects with `busy` and the time of the next quota. `owner` is the
   * fingerprint of the client's owner: keys cost nothing, so what is for all is shared by owners.
   */
  take(name: string, owner: string): Promise<void>;
  left(owner: string): Promise<QuotaLeft>;
}

/**
 * Hands out the right to order certificates under one registered domain, so that no owner can use up what the authority gives
 * to all. A quota counts once it is on disk. A damaged file is an error and no new start: that would be all quotas once more.
 */
export function fileQuotas(path: string, clock: Clock, limits: QuotaLimits): IssuanceQuotas {
  // Not kept in memory: all processes of the relay share it.
  const load = async (): Promise<QuotaState> => (await readJson(path, readQuotas)) ?? noQuotaUsed;

  async function take(name: string, owner: string): Promise<void> {
    const before = await load();
    const now = clock.now();
    const decision = takeQuota(before, name, owner, now, limits);
    if (!decision.granted) throw quotaExceeded(name, decision.nextAt, now, decision.limit);
    if (decision.state !== before) await writeJson(path, decision.state);
  }

  return {
    take: (name, owner) =>
      withDeadline({ clock, delayMs: takeMs, what: "The count of certificates" }, async (signal) =>
        whileHeld(await lockFile(`${path}.lock`, clock, signal), signal, () => take(name, owner)),
      ),
    async left(owner) {
      return quotaLeft(await load(), owner, clock.now(), limits);
    },
  };
}
