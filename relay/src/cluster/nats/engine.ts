import { readFileSync } from "node:fs";
import type * as jetstreamPackage from "@nats-io/jetstream";
import type * as transportPackage from "@nats-io/transport-node";
import { PortholeError } from "@porthole/common/errors";
import { stateError } from "@porthole/common/util";

/** The cluster's NATS servers. */
export interface EngineConfig {
  /** `nats://HOST:PORT` or `tls://HOST:PORT`. */
  readonly servers: readonly string[];
  /** Several clusters may share an engine. */
  readonly name: string;
  /** File with a user's JWT and seed. */
  readonly credsPath: string | undefined;
  /** CA of the servers' certificates, PEM; the system's when absent. */
  readonly caPath: string | undefined;
}

export const engineLimits = {
  connectMs: 5_000,
  requestMs: 5_000,
  reconnectMs: 500,
  /** A connection that is silent for twice this long is made again, elsewhere. */
  pingMs: 2_000,
  maxPings: 2,
} as const;

/** The oldest version with atomic batches. */
const minVersion = { major: 2, minor: 12 };

/** The packages of the engine are loaded here, and only by a relay that has one. */
export async function loadNats(): Promise<{
  readonly transport: typeof transportPackage;
  readonly jetstream: typeof jetstreamPackage;
}> {
  const [transport, jetstream] = await Promise.all([import("@nats-io/transport-node"), import("@nats-io/jetstream")]);
  return { transport: exportsOf(transport), jetstream: exportsOf(jetstream) };
}

/** They are CommonJS, and a bundle has their exports only as the default one. */
function exportsOf<T extends object>(module: T): T {
  return "default" in module ? (module.default as T) : module;
}

/** Connects to any of the servers; later it finds another one by itself. Rejects with `unreachable`, `version` or `state`. The caller closes it. */
export async function connectEngine(
  config: EngineConfig,
  clientName: string,
): Promise<transportPackage.NatsConnection> {
  const { transport } = await loadNats();
  const { servers, credsPath, caPath } = config;
  const creds = credsPath === undefined ? undefined : read(credsPath);
  let connection: transportPackage.NatsConnection;
  try {
    connection = await transport.connect({
      ...{ servers: [...servers], name: clientName, timeout: engineLimits.connectMs },
      ...{ maxReconnectAttempts: -1, reconnectTimeWait: engineLimits.reconnectMs, ignoreAuthErrorAbort: true },
      ...{ pingInterval: engineLimits.pingMs, maxPingOut: engineLimits.maxPings },
      ...(creds ? { authenticator: transport.credsAuthenticator(creds) } : {}),
      ...(caPath === undefined ? {} : { tls: { ca: read(caPath).toString() } }),
    });
  } catch (cause) {
    throw new PortholeError("unreachable", `The cluster's engine does not answer at ${servers.join(", ")}`, {
      cause,
      hint: "Start nats-server, or look at --cluster and --cluster-creds.",
    });
  }
  const version = connection.info?.version ?? "";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > minVersion.major || (major === minVersion.major && minor >= minVersion.minor)) return connection;
  await connection.close();
  throw new PortholeError("version", `The cluster's engine is nats-server ${version}`, {
    hint: `It has to be ${minVersion.major}.${minVersion.minor} or later.`,
  });
}

/** Yields after each reconnection; waits without an end when the connection is closed. */
export async function* reconnects(connection: transportPackage.NatsConnection): AsyncGenerator<void> {
  for await (const { type } of connection.status()) if (type === "reconnect") yield;
  await new Promise<never>(() => {});
}

/** It may be well again in a moment: an election takes some seconds. */
export function later(message: string, cause?: unknown): PortholeError {
  return new PortholeError("busy", message, { cause, retryAfterMs: 10_000 });
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (reason) {
    throw stateError("read", path, reason);
  }
}
