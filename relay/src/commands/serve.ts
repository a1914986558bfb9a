import cluster from "node:cluster";
import { collectDefaultMetrics } from "prom-client";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { systemClock } from "@porthole/common/util";
import { openControlSocket } from "@porthole/common/control";
import { nodeVersionWarning } from "@porthole/common/node-support";
import type { OptionValues } from "@porthole/common/options";
import { parseKey } from "../admission/index.ts";
import { optionsFor, relayConfig, type RelayConfig } from "../config/config.ts";
import type { EventsPosition } from "../monitoring/events.ts";
import type { Relay } from "../running/relay.ts";
import { serveCommand } from "./control.ts";
import { operationsOf } from "./operations.ts";
import { createLogger } from "../monitoring/logger.ts";
import type { relayOptions } from "../config/options.ts";
import { startRelay } from "../running/start-relay.ts";
import type { Serving } from "../workers/serving.ts";
import { startWorkers, type WorkersOptions } from "../workers/start-workers.ts";
import { runWorker } from "../workers/worker.ts";

/** The relay as a program: runs until a signal ends it. `readValues` is asked again at SIGHUP. */
export async function serve(readValues: () => OptionValues<typeof relayOptions>): Promise<void> {
  if (cluster.isWorker) return serveAsWorker(readValues);
  const hangup = heedHangup();
  const values = readValues();
  const log = createLogger({ json: values.json, level: values["log-level"] });
  const warning = nodeVersionWarning();
  if (warning) log.warn({}, warning);
  const config = relayConfig(values);
  let relay: (Serving & Pick<Relay, "reload">) | undefined;
  const commands = {
    status: () => relay?.report(),
    events: (params: unknown) => relay?.events(Object(params) as Partial<EventsPosition>),
    unblock: async (params: unknown) => relay && { wasHeld: await relay.unblock(String(params)) },
    disconnect: async (params: unknown) => relay && { links: await relay.disconnect(parseKey(String(params))) },
  };
  const control = await openControlSocket({
    stateDir: config.stateDir,
    program: "relay",
    clock: systemClock,
    onConnection: (socket) => void serveCommand(socket, commands, systemClock),
    onUnusable: ({ message, hint }) => log.warn({ hint }, `${message}; it runs, and commands do not reach it`),
    inUseHint: "End the other one, or give this one a --state-dir of its own.",
  });
  try {
    const operations = operationsOf(values, (key) => relay?.disconnect(key) ?? 0);
    relay = await start(config, { clock: systemClock, log, operations });
    announce(relay, config, log);
    hangup.reload(relay, () => relayConfig(readValues()), log);
    const signal = await nextSignal();
    log.info({ signal }, "Stopping; another signal ends it at once");
    const impatience = new AbortController();
    void nextSignal().then(() => impatience.abort());
    await relay.drain(impatience.signal);
    hangup.stop();
    await relay.close();
  } finally {
    await control.close();
  }
}

/** In one process, or in several. */
async function start(config: RelayConfig, options: WorkersOptions): Promise<Serving & Pick<Relay, "reload">> {
  if (config.workers > 1) return startWorkers(config, options);
  const relay = await startRelay(config, options);
  collectDefaultMetrics({ register: relay.metrics.registry });
  return relay;
}

async function serveAsWorker(readValues: () => OptionValues<typeof relayOptions>): Promise<void> {
  const values = readValues();
  await runWorker(() => relayConfig(readValues()), createLogger({ json: values.json, level: values["log-level"] }));
}

function announce(relay: Serving, config: RelayConfig, log: Logger): void {
  log.info(
    {
      bindAddress: config.bindAddress,
      api: relay.apiPort,
      public: relay.publicPort,
      ...(relay.alpnPort === undefined ? {} : { alpn: relay.alpnPort }),
      ...(relay.httpPort === undefined ? {} : { http: relay.httpPort }),
      ...(relay.adminPort === undefined ? {} : { admin: relay.adminPort }),
      ...(config.workers === 1 ? {} : { workers: config.workers }),
      fingerprint: relay.fingerprint,
    },
    "Relay is ready",
  );
  if (relay.quicUnavailable !== undefined)
    log.warn({}, `QUIC is unavailable, clients connect over HTTP/2: ${relay.quicUnavailable}`);
  if (config.admission.open && config.isReachable)
    log.warn({}, "--open: anyone may connect and expose whatever they like under your domain");
}

interface Hangup {
  /** Reloads on each signal from now on; and at once, if one has come before. */
  reload(relay: Pick<Relay, "reload">, readConfig: () => RelayConfig, log: Logger): void;
  stop(): void;
}

/** Heeded from the first moment: without a listener SIGHUP ends a process, and the program that renews a certificate does not know that the relay is still starting. */
function heedHangup(): Hangup {
  let isMissed = false;
  let reload = async (): Promise<void> => {
    isMissed = true;
  };
  const onHangup = (): void => void reload();
  // On Windows it means that the terminal is gone.
  if (process.platform !== "win32") process.on("SIGHUP", onHangup);
  return {
    reload(relay, readConfig, log) {
      reload = async () => {
        try {
          const later = await relay.reload(readConfig());
          log.info({}, "Reloaded");
          if (later.length > 0) log.warn({ settings: optionsFor(later) }, "Some changes need a restart");
        } catch (reason) {
          const { message, hint } = PortholeError.from(reason);
          log.error({ hint }, `Not reloaded, everything stays as it was: ${message}`);
        }
      };
      if (isMissed) onHangup();
    },
    stop: () => void process.off("SIGHUP", onHangup),
  };
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}
