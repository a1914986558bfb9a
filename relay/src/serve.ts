import { collectDefaultMetrics } from "prom-client";
import { nodeVersionWarning, openControlSocket, systemClock } from "@porthole/common/util";
import type { OptionValues } from "@porthole/common/options";
import { relayConfig, type RelayConfig } from "./config.ts";
import { createLogger } from "./logger.ts";
import type { relayOptions } from "./options.ts";
import { startRelay, type Relay } from "./relay.ts";

/** The relay as a program: runs until a signal ends it. */
export async function serve(values: OptionValues<typeof relayOptions>): Promise<void> {
  const log = createLogger({ json: values.json, level: values["log-level"] });
  const warning = nodeVersionWarning();
  if (warning) log.warn({}, warning);
  const config = relayConfig(values);
  let relay: Relay | undefined;
  const control = await openControlSocket({
    stateDir: config.stateDir,
    program: "relay",
    commands: { status: () => relay?.report() },
    inUseHint: "End the other one, or give this one a --state-dir of its own.",
  });
  try {
    relay = await startRelay(config, { clock: systemClock, log });
    collectDefaultMetrics({ register: relay.metrics.registry });
    announce(relay, config, log);
    const signal = await nextSignal();
    log.info({ signal }, "Stopping");
    await relay.close();
  } finally {
    await control.close();
  }
}

function announce(relay: Relay, config: RelayConfig, log: ReturnType<typeof createLogger>): void {
  log.info(
    {
      bindAddress: config.bindAddress,
      api: relay.apiPort,
      public: relay.publicPort,
      ...(relay.alpnPort === undefined ? {} : { alpn: relay.alpnPort }),
      ...(relay.httpPort === undefined ? {} : { http: relay.httpPort }),
      ...(relay.adminPort === undefined ? {} : { admin: relay.adminPort }),
      fingerprint: relay.fingerprint,
    },
    "Relay is ready",
  );
  if (relay.quicUnavailable !== undefined)
    log.warn({}, `QUIC is unavailable, agents connect over HTTP/2: ${relay.quicUnavailable}`);
  if (config.admission.open && config.isReachable)
    log.warn({}, "--open: anyone may connect and expose whatever they like under your domain");
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}
