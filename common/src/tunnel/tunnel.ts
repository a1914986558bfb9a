import { randomUUID } from "node:crypto";
import { PortholeError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Clock } from "../util/index.ts";
import type { Endpoint } from "./endpoint.ts";
import type { VisitReport } from "./forwarder.ts";
import { RelayClient, type Dialers, type ServerAddress } from "./relay-client.ts";
import type { RelayStatus, TunnelState } from "./state.ts";
import type { TransportPolicy } from "./transport-choice.ts";
import { RelayTrust, type KnownRelays, type TrustPolicy } from "./trust.ts";

export interface TunnelOptions {
  readonly servers: readonly ServerAddress[];
  /** The primary endpoint, and maybe the secondary one. */
  readonly endpoints: readonly Endpoint[];
  trustFor(server: ServerAddress): TrustPolicy;
  readonly knownRelays: KnownRelays;
  readonly dialers: Dialers;
  readonly transport: TransportPolicy;
  readonly poolSize: number;
  readonly suffix?: string | undefined;
  /** Name and version, for the relay's log. */
  readonly software: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with the whole state after every change. */
  onState(state: TunnelState): void;
  onVisit?(report: VisitReport): void;
}

/**
 * Exposes the endpoints on all relays in parallel until the signal aborts. Rejects with the last relay's error when every
 * relay has refused for good; as long as one of them may still serve, it goes on.
 */
export async function runTunnel(options: TunnelOptions, signal: AbortSignal): Promise<void> {
  const instance = randomUUID();
  const trusts = options.servers.map(
    (server) => new RelayTrust(server.text, options.trustFor(server), options.knownRelays),
  );
  const statuses = options.endpoints.map(() => options.servers.map((): RelayStatus => ({ status: "connecting" })));

  function publish(): void {
    options.onState({
      endpoints: options.endpoints.map((endpoint, e) => ({
        role: endpoint.role,
        clientId: endpoint.key.clientId,
        fingerprint: endpoint.key.fingerprint,
        local: endpoint.local.text,
        relays: options.servers.map((server, s) => ({
          server: server.text,
          now: statuses[e]?.[s] ?? { status: "stopped" },
        })),
      })),
    });
  }

  const clients = options.endpoints.flatMap((endpoint, e) =>
    options.servers.map((server, s) =>
      new RelayClient(
        {
          ...options,
          server,
          endpoint,
          instance,
          trust: trusts[s] as RelayTrust,
          onStatus(status) {
            const row = statuses[e];
            if (row) row[s] = status;
            publish();
          },
          onVisit: (report) => options.onVisit?.(report),
        },
        signal,
      ).run(),
    ),
  );
  await Promise.all(clients);
  if (signal.aborted) return;
  const failed = statuses.flat().findLast((status) => status.status === "failed");
  throw failed?.status === "failed" ? failed.error : new PortholeError("internal", "The tunnel ended by itself");
}
