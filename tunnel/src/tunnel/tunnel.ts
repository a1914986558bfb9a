import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { RequestReport } from "../http/index.ts";
import type { Endpoint } from "./endpoint.ts";
import type { VisitReport } from "./forwarder.ts";
import type { Interfaces } from "./network-watch.ts";
import { ExternalKey } from "./external-key.ts";
import type { NameKey } from "./link-identity.ts";
import { LinkPool } from "./link-pool.ts";
import { RelayClient } from "./relay-client.ts";
import type { Dialers, ServerAddress } from "./relay-dialer.ts";
import { EndpointCertificates, type EndpointAcme } from "./endpoint-certificates.ts";
import type { EndpointState, RelayStatus, TunnelState } from "./state.ts";
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
  /** Friendly name that the primary endpoint wants instead of its client id. */
  readonly name?: string | undefined;
  /**
   * The key that relays know this user by. It vouches for the endpoints' own keys, so that one invite is enough for all of
   * them, and a relay that lets it in lets them in. Undefined: each endpoint is known by its own.
   */
  readonly owner?: NameKey | undefined;
  /** Links that tunnels of this process share, where they have one owner; each endpoint has its own ones if absent. */
  readonly sharedLinks?: LinkPool | undefined;
  /** How an endpoint gets certificates; undefined for one that stays self-signed. */
  acmeFor?(endpoint: Endpoint): EndpointAcme | undefined;
  /** This machine's network interfaces; its own ones if absent. */
  readonly interfaces?: Interfaces | undefined;
  /** Name and version, for the relay's log. */
  readonly software: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with the whole state after every change. */
  onState(state: TunnelState): void;
  onVisit?(report: VisitReport): void;
  /** A visitor's request has been answered; only where HTTP is read. */
  onRequest?(report: RequestReport): void;
  /** The server's token has done its work: the relay knows the key now. */
  onTokenUsed?(server: ServerAddress): void;
}

/**
 * Exposes the endpoints on all relays in parallel until the signal aborts. Rejects with the last relay's error when every
 * relay has refused for good; as long as one of them may still serve, it continues.
 */
export async function runTunnel(options: TunnelOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, interfaces, sharedLinks } = options;
  const pool = sharedLinks ?? new LinkPool({ clock, log, interfaces });
  const trusts = options.servers.map(
    (server) => new RelayTrust(server.text, options.trustFor(server), options.knownRelays),
  );
  const exposed = options.endpoints.map((endpoint) => exposeEndpoint(endpoint));

  function publish(): void {
    options.onState({ endpoints: exposed.map((each) => each.state()) });
  }

  function exposeEndpoint(endpoint: Endpoint): Exposed {
    const statuses = options.servers.map((): RelayStatus => ({ status: "connecting" }));
    const acme = options.acmeFor?.(endpoint);
    const { proxyTo } = options.dialers;
    const directoryFor = ({ text }: ServerAddress): string | undefined => {
      const authority = acme?.authorityFor(text);
      return authority?.isForAll === false ? authority.directoryUrl : undefined;
    };
    const certificates = new EndpointCertificates(
      {
        endpoint,
        acme: acme && { ...acme, network: { proxyTo, ...acme.network } },
        clock: options.clock,
        log: options.log,
        requestIssuance: (hostname, within) => requestIssuance(clients, hostname, within),
        onChange: publish,
      },
      signal,
    );
    const clients = options.servers.map(
      (server, index) =>
        new RelayClient(
          {
            ...options,
            server,
            endpoint,
            instance: pool.instance,
            ownLinks: (own) => pool.own(own),
            name: endpoint.role === "primary" ? options.name : undefined,
            certificateDirectory: directoryFor(server),
            onTokenUsed: () => options.onTokenUsed?.(server),
            trust: trusts[index] as RelayTrust,
            onStatus(status) {
              statuses[index] = status;
              if (status.status === "online") certificates.keep(server.text, status.hostnames);
              publish();
            },
            onVisit: (report) => options.onVisit?.(report),
            onRequest: (report) => options.onRequest?.(report),
          },
          signal,
        ),
    );
    return {
      statuses,
      state: () => ({
        role: endpoint.role,
        clientId: endpoint.key.clientId,
        fingerprint: endpoint.key.fingerprint,
        local: endpoint.local.text,
        gateway: endpoint.gateway.state,
        relays: options.servers.map((server, index) => ({
          address: server.text,
          now: statuses[index] ?? { status: "stopped" },
        })),
        certificates: certificates.status(),
      }),
      async run() {
        const unwatch = endpoint.gateway.onChange(publish);
        await Promise.all(clients.map((client) => client.run()));
        unwatch();
        if (signal.aborted) await certificates.done();
      },
    };
  }

  const over = new AbortController();
  const external = [options.owner, ...options.endpoints.map(({ key }) => key)].filter(
    (key) => key instanceof ExternalKey,
  );
  const kept = [...new Set(external)].map((key) => key.keep(AbortSignal.any([signal, over.signal])));
  await Promise.all(exposed.map((each) => each.run()));
  over.abort(new PortholeError("aborted", "The tunnel has ended"));
  await Promise.all(kept);
  if (signal.aborted) return;
  const failed = exposed.flatMap(({ statuses }) => statuses).findLast((status) => status.status === "failed");
  throw failed?.status === "failed" ? failed.error : new PortholeError("internal", "The tunnel ended by itself");
}

interface Exposed {
  readonly statuses: readonly RelayStatus[];
  state(): EndpointState;
  run(): Promise<void>;
}

/** Any relay that serves the name may answer: they share the domain. */
async function requestIssuance(
  clients: readonly RelayClient[],
  hostname: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const session = clients.map((client) => client.issuerOf(hostname)).find((each) => each !== undefined);
  if (!session) throw new PortholeError("unreachable", `No relay serves ${hostname} at present`);
  return session.requestIssuance(hostname, signal);
}
