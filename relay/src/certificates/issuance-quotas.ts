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

/** Where the state of the quotas is kept, changed by one at a time. */
export interface QuotaStore {
  read(): Promise<QuotaState>;
  /** What `change` throws leaves everything as it was. */
  update(change: (state: QuotaState) => QuotaState): Promise<void>;
}

/**
 * Hands out the right to order certificates under one registered domain, so that no owner can use up what the authority gives
 * to all. A quota counts once it is stored.
 */
export function issuanceQuotas(store: QuotaStore, clock: Clock, limits: QuotaLimits): IssuanceQuotas {
  return {
    take: (name, owner) =>
      store.update((before) => {
        const now = clock.now();
        const decision = takeQuota(before, name, owner, now, limits);
        if (!decision.granted) throw quotaExceeded(name, decision.nextAt, now, decision.limit);
        return decision.state;
      }),
    async left(owner) {
      return quotaLeft(await store.read(), owner, clock.now(), limits);
    },
  };
}

/** Quotas of all processes of a relay. A damaged file is an error and no new start: that would be all quotas once more. */
export function fileQuotas(path: string, clock: Clock, limits: QuotaLimits): IssuanceQuotas {
  // Not kept in memory: other processes write it, too.
  const read = async (): Promise<QuotaState> => (await readJson(path, readQuotas)) ?? noQuotaUsed;
  const update: QuotaStore["update"] = (change) =>
    withDeadline({ clock, delayMs: takeMs, what: "The count of certificates" }, async (signal) =>
      whileHeld(await lockFile(`${path}.lock`, clock, signal), signal, async () => {
        const before = await read();
        const after = change(before);
        if (after !== before) await writeJson(path, after);
      }),
    );
  return issuanceQuotas({ read, update }, clock, limits);
}
