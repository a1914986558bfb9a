import type { LinkSlotOptions } from "./link-slot.ts";
import { limits } from "./limits.ts";

/** Where QUIC has worked it will work again, also for the slot that has taken the place of the one that was up. */
export function quicPauses(wasUp: boolean): LinkSlotOptions["backoff"] {
  const { firstMs, maxMs, maxAfterServiceMs } = limits.quicRetry;
  return { firstMs, maxMs: wasUp ? maxAfterServiceMs : maxMs, maxAfterServiceMs };
}

/** A relay that has admitted us before is expected back: see limits.reconnect. */
export function reconnectPauses(wasAdmitted: boolean): LinkSlotOptions["backoff"] {
  const { firstMs, maxMs, maxAfterServiceMs } = limits.reconnect;
  return { firstMs, maxMs: wasAdmitted ? maxAfterServiceMs : maxMs, maxAfterServiceMs };
}
