import { withLabTunnel, mayUseLab } from "./lab.ts";
import type { ShowRow } from "./row.ts";

const plan = { count: 1_000, atOnce: 20 };

/** Transfers that break off, downloads by the service and uploads by the visitor, at 20 ms and 2 % loss: how many look complete. */
export async function benchBrokenTransfers(show: ShowRow): Promise<void> {
  if (!mayUseLab()) return;
  for (const transport of ["quic", "h2"] as const) {
    const lab = { delayMs: 20, lossPercent: 2, transport, service: "testing/src/netlab/breaking-server.ts" };
    const { downloads, uploads, orderly } = await withLabTunnel(lab, (tunnel) => tunnel.broken(plan));
    const name = `of ${downloads.broken + uploads.broken} broken transfers over ${transport} look complete`;
    show({ name, value: downloads.lookWhole + uploads.lookWhole, unit: "", target: 0, atMost: true });
    show({
      name: `of ${orderly.whole} orderly ones look broken`,
      value: orderly.lookBroken,
      unit: "",
      target: 0,
      atMost: true,
    });
  }
}
