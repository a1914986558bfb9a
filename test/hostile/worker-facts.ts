import type { QuicWorkerFacts, Relay } from "@porthole/relay";
import { until } from "@porthole/testing/end-to-end";

/** The relay's figures are those of the QUIC worker's last heartbeat. */
export async function fresh(relay: Relay): Promise<QuicWorkerFacts> {
  const beats = relay.quic()?.beats ?? 0;
  await until(() => (relay.quic()?.beats ?? 0) >= beats + 2, "the QUIC worker's heart had beaten twice");
  return relay.quic() as QuicWorkerFacts;
}

export function dropped(relay: Relay, reason: keyof QuicWorkerFacts["engine"]["dropped"]): number {
  return relay.quic()?.engine.dropped[reason] ?? 0;
}
