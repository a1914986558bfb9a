import { readyUrl } from "@porthole/tunnel/rpc";
import type { Reporter } from "./reporter.ts";

export interface ReadinessOptions {
  readonly tunnels: readonly string[];
  /** Visitors must be able to come without a warning, too: no certificate is awaited any more. */
  readonly withCertificate: boolean;
  /** Called once, with the first URL of each tunnel in their order. */
  readonly onReady: (urls: readonly string[]) => void;
}

/** Passes everything on to the reporter, and notices when every tunnel is online. */
export function watchReadiness(reporter: Reporter, options: ReadinessOptions): Reporter {
  const urls = new Map<string, string>();
  let isReady = false;
  return {
    ...reporter,
    onState(tunnel, state) {
      reporter.onState(tunnel, state);
      const url = readyUrl(state, options.withCertificate);
      if (url === undefined || isReady) return;
      urls.set(tunnel, url);
      isReady = options.tunnels.every((name) => urls.has(name));
      if (isReady) options.onReady(options.tunnels.map((name) => urls.get(name) ?? ""));
    },
  };
}
