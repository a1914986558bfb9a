#!/usr/bin/env node
import { PortholeError } from "@porthole/common/errors";
import { asksFor, helpText, readOptions } from "@porthole/common/options";
import { nodeVersionWarning, systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { relayConfig, type RelayConfig } from "./config.ts";
import { createLogger } from "./logger.ts";
import { relayOptions } from "./options.ts";
import { startRelay, type Relay } from "./relay.ts";

async function main(argv: readonly string[]): Promise<void> {
  if (asksFor(argv, "help")) {
    process.stdout.write(
      helpText(relayOptions, {
        summary: "The relay of Porthole: gives clients a public name and carries bytes that it cannot read.",
        example: "porthole-relay --domain-suffix tunnel.example.com --authorized-keys keys.txt",
        columns: process.stdout.columns,
      }),
    );
    return;
  }
  if (asksFor(argv, "version")) {
    process.stdout.write(`${version}\n`);
    return;
  }
  const { values } = readOptions(relayOptions, argv, process.env);
  const log = createLogger({ json: values.json });
  const warning = nodeVersionWarning();
  if (warning) log.warn({}, warning);
  const config = relayConfig(values);
  const relay = await startRelay(config, { clock: systemClock, log });
  announce(relay, config, log);
  const signal = await nextSignal();
  log.info({ signal }, "Stopping");
  await relay.close();
}

function announce(relay: Relay, config: RelayConfig, log: ReturnType<typeof createLogger>): void {
  log.info(
    {
      bindAddress: config.bindAddress,
      api: relay.apiPort,
      public: relay.publicPort,
      ...(relay.alpnPort === undefined ? {} : { alpn: relay.alpnPort }),
      fingerprint: relay.fingerprint,
    },
    "Relay is ready",
  );
  if (relay.quicUnavailable !== undefined)
    log.warn({}, `QUIC is unavailable, agents connect over HTTP/2: ${relay.quicUnavailable}`);
  if (config.admission.kind === "open" && config.alpnPort !== undefined)
    log.warn({}, "--open: anyone may connect and expose whatever they like under your domain");
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
}

try {
  await main(process.argv.slice(2));
} catch (reason) {
  const error = PortholeError.from(reason);
  process.stderr.write(`porthole-relay: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ""}`);
  if (error.code === "internal" && error.cause instanceof Error) process.stderr.write(`${error.cause.stack ?? ""}\n`);
  process.exitCode = error.exitCode;
}
