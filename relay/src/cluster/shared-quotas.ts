import { withDeadline, type Clock } from "@porthole/common/util";
import type { Ledger } from "../admission/index.ts";
import { noQuotaUsed, readQuotas, type QuotaLimits, type QuotaState } from "../certificates/issuance-quota.ts";
import { issuanceQuotas, type IssuanceQuotas } from "../certificates/issuance-quotas.ts";
import { limits } from "./limits.ts";
import type { SharedRecords } from "./shared-records.ts";

/** The one record of its kind. */
const all = "all";

/** Issuance quotas of all relays of a cluster. While the engine is away nobody gets one, and is told to come again. */
export function sharedQuotas(ledger: Ledger<SharedRecords>, clock: Clock, quotas: QuotaLimits): IssuanceQuotas {
  const of = ({ quotas: records }: SharedRecords): QuotaState =>
    records[all] === undefined ? noQuotaUsed : readQuotas(records[all]);
  return issuanceQuotas(
    {
      read: async () => of(ledger.state),
      update: async (change) => {
        await withDeadline({ clock, delayMs: limits.quotaMs, what: "The count of certificates" }, (signal) =>
          ledger.update((state) => {
            const before = of(state);
            const after = change(before);
            return after === before ? state : { ...state, quotas: { ...state.quotas, [all]: after } };
          }, signal),
        );
      },
    },
    clock,
    quotas,
  );
}
