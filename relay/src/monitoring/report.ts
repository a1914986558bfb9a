import { formatHostPort } from "@porthole/common/options";
import type { LinkKind } from "@porthole/common/link";
import { version } from "@porthole/common/version";
import type { ClientLink } from "../clients/registry.ts";
import type { ClusterReport } from "../cluster/report.ts";
import type { Traffic } from "./traffic.ts";

/** How one link stands. */
export interface LinkReport {
  /** Clients of one process may share a link. */
  readonly link: string;
  readonly transport: LinkKind;
  /** The client's address and port. */
  readonly from: string;
  readonly upMs: number;
  readonly rttMs?: number;
  /** Visitors now, and ever. */
  readonly streams: number;
  readonly visitors: number;
  /** Bytes from visitors and to them, encrypted. */
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export interface ClientReport {
  readonly client: string;
  /** The operator's label for it: that of its invite. */
  readonly label?: string;
  readonly hostnames: readonly string[];
  /** Program and version, as the client names them. */
  readonly software: string;
  /** Bytes that the clients of its owner carried, both directions together: today, this month (UTC), and in total. */
  readonly bytesToday: number;
  readonly bytesThisMonth: number;
  readonly bytesInTotal: number;
  readonly links: readonly LinkReport[];
}

/** An address or network that is kept out. */
export interface HeldReport {
  readonly source: string;
  readonly leftMs: number;
  /** Why its clients were not admitted, the last time. */
  readonly code: string;
  readonly times: number;
}

/** The report of `porthole-relay status`; `--json` prints it as it is. */
export interface RelayReport {
  readonly software: string;
  readonly upMs: number;
  readonly isDraining: boolean;
  readonly ports: {
    readonly api: number;
    readonly public: number;
    readonly alpn: number | undefined;
    readonly http: number | undefined;
    readonly admin: number | undefined;
  };
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly certificateExpiresAt: number;
  /** Why there is no QUIC, if there is none. */
  readonly quicUnavailable: string | undefined;
  /** Which QUIC engine serves, and why that one; absent while none does. */
  readonly quicEngine: string | undefined;
  readonly visitors: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly clients: readonly ClientReport[];
  /** Kept out by --max-penalty, at most 100. */
  readonly held: readonly HeldReport[];
  /** The other relays of its cluster. */
  readonly cluster: ClusterReport | undefined;
  /** Its processes, where it has several. */
  readonly workers?: readonly WorkerReport[];
}

/** How one of the processes of a relay stands. */
export interface WorkerReport {
  readonly index: number;
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly isServing: boolean;
  readonly clients: number;
  readonly links: number;
  /** Visitors that came to it since its start, and those of them that it led to another worker or relay. */
  readonly visitors: number;
  readonly ledOn: number;
}

export interface ReportSource extends Pick<
  RelayReport,
  | "isDraining"
  | "ports"
  | "fingerprint"
  | "certificateExpiresAt"
  | "quicUnavailable"
  | "quicEngine"
  | "held"
  | "cluster"
> {
  readonly now: number;
  readonly startedAt: number;
  readonly traffic: Traffic;
  readonly links: readonly ClientLink[];
  readonly usage: (owner: string) => Pick<ClientReport, "bytesToday" | "bytesThisMonth" | "bytesInTotal">;
}

export function reportOf(source: ReportSource): RelayReport {
  const { now, isDraining, ports, fingerprint, certificateExpiresAt, quicUnavailable, quicEngine, traffic, held } =
    source;
  const byClient = new Map<string, ClientLink[]>();
  for (const link of source.links) {
    if (link.hostnames.length === 0) continue;
    const others = byClient.get(link.clientId);
    if (others) others.push(link);
    else byClient.set(link.clientId, [link]);
  }
  return {
    software: `porthole-relay/${version}`,
    upMs: now - source.startedAt,
    isDraining,
    ports,
    fingerprint,
    certificateExpiresAt,
    quicUnavailable,
    quicEngine,
    visitors: traffic.visitors,
    bytesIn: traffic.bytesIn,
    bytesOut: traffic.bytesOut,
    clients: [...byClient].map(([client, links]) => clientReport(client, links, source)),
    held,
    cluster: source.cluster,
  };
}

function clientReport(client: string, links: readonly ClientLink[], { now, usage }: ReportSource): ClientReport {
  const label = links.find((link) => link.label !== undefined)?.label;
  const { bytesToday, bytesThisMonth, bytesInTotal } = usage(links[0]?.owner ?? "");
  return {
    client,
    ...(label === undefined ? {} : { label }),
    hostnames: [...new Set(links.flatMap(({ hostnames }) => hostnames))],
    software: [...new Set(links.map(({ software }) => software))].join(", "),
    ...{ bytesToday, bytesThisMonth, bytesInTotal },
    links: links.map((link) => linkReport(link, now)),
  };
}

function linkReport({ id, link, connectedAt, traffic }: ClientLink, now: number): LinkReport {
  const { address, port } = link.remote;
  const rttMs = link.rttMs();
  return {
    link: id,
    transport: link.kind,
    from: formatHostPort({ host: address, port }),
    upMs: now - connectedAt,
    ...(rttMs === undefined ? {} : { rttMs }),
    streams: traffic.open,
    visitors: traffic.visitors,
    bytesIn: traffic.bytesIn,
    bytesOut: traffic.bytesOut,
  };
}
