import { readyUrl, type TunnelStateView } from "@porthole/tunnel/rpc";
import type { Reporter } from "./reporter.ts";

export interface ReadinessOptions {
  readonly tunnels: readonly string[];
  /** Visitors must be able to come without a warning, too: no certificate is awaited any more. */
  readonly withCertificate: boolean;
  /** Called once, with the first URL of each tunnel in their order. */
  readonly onReady: (urls: readonly string[]) => void;
  /** Called when a tunnel is without a relay that answers, with the reason, and with null when each has one. */
  readonly onUnreachable?: (why: string | null) => void;
}

/** Passes everything on to the reporter, and notices when every tunnel is online. */
export function watchReadiness(reporter: Reporter, options: ReadinessOptions): Reporter {
  const urls = new Map<string, string>();
  const unreachable = new Map<string, string>();
  let said: string | null = null;
  let isReady = false;

  function noteRelays(tunnel: string, { endpoints: [first] }: TunnelStateView): void {
    const reasons = first?.relays.flatMap(({ now }) => (now.status === "waiting" ? [now.error.message] : [])) ?? [];
    const [reason] = reasons;
    if (reason !== undefined && reasons.length === first?.relays.length) unreachable.set(tunnel, reason);
    else if (first?.relays.some(({ now }) => now.status === "online")) unreachable.delete(tunnel);
    const [why = null] = unreachable.values();
    if (why !== said) options.onUnreachable?.(why);
    said = why;
  }

  return {
    ...reporter,
    onState(tunnel, state) {
      reporter.onState(tunnel, state);
      if (!isReady) noteRelays(tunnel, state);
      const url = readyUrl(state, options.withCertificate);
      if (url === undefined || isReady) return;
      urls.set(tunnel, url);
      isReady = options.tunnels.every((name) => urls.has(name));
      if (isReady) options.onReady(options.tunnels.map((name) => urls.get(name) ?? ""));
    },
  };
}
