import { collectDefaultMetrics } from "prom-client";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { Secret, systemClock } from "@porthole/common/util";
import type { RelayConfig } from "../config/config.ts";
import type { Relay } from "../running/relay.ts";
import { startRelay } from "../running/start-relay.ts";
import { workerConfig } from "./config.ts";
import {
  plainError,
  type Answers,
  type FromWorker,
  type Question,
  type ToWorker,
  type WorkerFacts,
  type WorkerStart,
} from "./wire.ts";

/**
 * One of several processes that are a relay together. It shares ports by Node's cluster module, and knows the others as a relay knows
 * those of its cluster. It ends when the supervisor says so, or is gone.
 */
export async function runWorker(readConfig: () => RelayConfig, log: Logger): Promise<void> {
  // A terminal sends them to all processes. What they mean comes from the supervisor.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});
  const start = await new Promise<WorkerStart>((resolve) => {
    process.once("message", (message: ToWorker) => {
      if (message.type === "start") resolve(message);
    });
  });
  const readOwn = (): RelayConfig => workerConfig(readConfig(), start.index);
  const impatience = new AbortController();
  const end = new Promise<"drain" | "orphaned">((resolve) => {
    process.on("message", (message: ToWorker) => {
      if (message.type === "drain") resolve("drain");
      else if (message.type === "hurry") impatience.abort();
    });
    process.on("disconnect", () => resolve("orphaned"));
  });
  let relay: Relay;
  try {
    relay = await startRelay(readOwn(), {
      ...{ clock: systemClock, log: withWorker(log, start.index) },
      worker: {
        ...{ index: start.index, instance: start.instance, ticketSecret: new Secret(start.ticketSecret) },
        onEvent: (event) => send({ type: "event", event }),
        onQuic: (isUp) => send({ type: "quic", isUp }),
      },
    });
  } catch (reason) {
    await sent({ type: "failed", error: plainError(reason) });
    process.exitCode = 1;
    return process.disconnect();
  }
  collectDefaultMetrics({ register: relay.metrics.registry });
  process.on("message", (message: ToWorker) => heed(message, relay, readOwn));
  send({ type: "ready", ...factsOf(relay) });
  if ((await end) === "drain") await relay.drain(impatience.signal);
  await relay.close();
  if (process.connected) process.disconnect();
}

function heed(message: ToWorker, relay: Relay, readConfig: () => RelayConfig): void {
  if (message.type === "peers") relay.setPeers(message.peers);
  else if (message.type === "quic") relay.setQuicElsewhere(message.isUp);
  else if (message.type === "ask") {
    const { id, question } = message;
    answer(question, relay, readConfig).then(
      (given) => send({ type: "answer", id, answer: given }),
      (reason: unknown) => send({ type: "answer", id, error: plainError(reason) }),
    );
  }
}

async function answer(
  question: Question,
  relay: Relay,
  readConfig: () => RelayConfig,
): Promise<Answers[keyof Answers]> {
  switch (question.is) {
    case "report":
      return relay.report();
    case "metrics":
      return relay.metrics.registry.getMetricsAsJSON();
    case "reload":
      return relay.reload(readConfig());
    case "disconnect":
      return relay.disconnect(question.key);
    case "unblock":
      return relay.unblock(question.address);
  }
}

function factsOf(relay: Relay): WorkerFacts {
  const { apiPort, publicPort, alpnPort, httpPort, fingerprint, quicUnavailable, peer } = relay;
  if (!peer) throw new PortholeError("internal", "A worker without a port for the others");
  return { apiPort, publicPort, alpnPort, httpPort, fingerprint, quicUnavailable, peer };
}

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
}

function sent(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, undefined, {}, () => resolve());
    else resolve();
  });
}

function withWorker(log: Logger, worker: number): Logger {
  return {
    debug: (fields, message) => log.debug({ worker, ...fields }, message),
    info: (fields, message) => log.info({ worker, ...fields }, message),
    warn: (fields, message) => log.warn({ worker, ...fields }, message),
    error: (fields, message) => log.error({ worker, ...fields }, message),
  };
}
