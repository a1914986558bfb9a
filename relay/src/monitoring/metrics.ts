import { Counter, Gauge, Registry } from "prom-client";
import type { ErrorCode } from "@porthole/common/errors";
import type { Link, LinkKind } from "@porthole/common/link";
import { version } from "@porthole/common/version";
import { limitNames, type LimitName } from "../limits/index.ts";
import { Traffic } from "./traffic.ts";

/** The outcome of a visitor's connection. */
export type VisitorOutcome = (typeof visitorOutcomes)[number];
const visitorOutcomes = [
  "forwarded", // a stream of a client's link carries it
  "challenge", // a certificate authority's validator of the relay's own name
  "own-page", // the page at the relay's own name
  "fallback", // passed on to the server of --fallback
  "client", // a client, on a port that serves both
  "unknown-name", // nobody serves the name
  "full", // the name's links have no room
  "malformed", // no ClientHello that we accept
  "plain-http", // HTTP without TLS
  "timeout", // no whole ClientHello in time
  "left", // ended before its ClientHello did
  "limited", // over a limit
] as const;

/** Links in memory exist in tests only. */
const transports = ["quic", "http2"] as const;

/** The relay's state at a scrape. */
export interface Observed {
  readonly links: readonly Pick<Link, "kind" | "openStreams">[];
  readonly clients: number;
  readonly sockets: number;
  readonly pendingHellos: number;
  readonly pendingClients: number;
  readonly isDraining: boolean;
  /** Milliseconds since 1970. */
  readonly certificateExpiresAt: number;
}

/** The relay's figures for Prometheus; docs/operating.md says what they mean and when to worry. Names there and here are the same. */
export class Metrics {
  readonly registry = new Registry();
  /** All visitors of this relay. */
  readonly traffic = new Traffic();
  readonly #visitors = this.#counter("visitors_total", "Visitors' connections, by what became of them", ["outcome"]);
  readonly #admitted = this.#counter("clients_admitted_total", "Links of clients that were admitted", ["transport"]);
  readonly #refused = this.#counter(
    "clients_refused_total",
    "Connections of clients that were not admitted, by the reason that they were told",
    ["code"],
  );
  readonly #ended = this.#counter("links_ended_total", "Admitted links that have ended, by reason", [
    "transport",
    "code",
  ]);
  readonly #limited = this.#counter("limited_total", "Connections that were turned away, by the limit", ["limit"]);

  readonly #clientBytes = this.#counter(
    "client_bytes_total",
    "Bytes of visitors by the label or id of their client, for --client-metrics N clients; the others together are other",
    ["client", "direction"],
  );
  readonly #ownFigures = new Set<string>();
  readonly #maxOwnFigures: number;

  /** Figures that are asked for come from `observe`. So many clients at most have figures of their own. */
  constructor(observe: () => Observed, maxOwnFigures = 0) {
    this.#maxOwnFigures = maxOwnFigures;
    // What is not there before its first event has no rate at that event, and no alert sees it.
    for (const outcome of visitorOutcomes) this.#visitors.inc({ outcome }, 0);
    for (const limit of limitNames) this.#limited.inc({ limit }, 0);
    for (const transport of transports) this.#ended.inc({ transport, code: "timeout" }, 0);
    this.#gauge(
      "build_info",
      "Always 1; the label is the version",
      ["version"],
      (gauge) => gauge.set({ version }, 1),
      "first",
    );
    this.#gauge("clients", "Clients that are connected", [], (gauge) => gauge.set(observe().clients));
    this.#gauge("links", "Links of clients: quic, http2", ["transport"], (gauge) => {
      const { links } = observe();
      for (const transport of transports)
        gauge.set({ transport }, links.filter(({ kind }) => kind === transport).length);
    });
    this.#gauge("streams", "Visitors on these links", ["transport"], (gauge) => {
      const { links } = observe();
      for (const transport of transports) {
        const streams = links.map(({ kind, openStreams }) => (kind === transport ? openStreams : 0));
        gauge.set(
          { transport },
          streams.reduce((sum, each) => sum + each, 0),
        );
      }
    });
    this.#gauge("sockets", "TCP connections of clients and visitors", [], (gauge) => gauge.set(observe().sockets));
    this.#gauge("pending_hellos", "Visitors in the TLS handshake phase", [], (gauge) =>
      gauge.set(observe().pendingHellos),
    );
    this.#gauge("pending_clients", "Connections of clients before admission", [], (gauge) =>
      gauge.set(observe().pendingClients),
    );
    this.#gauge(
      "draining",
      "1 while the relay is on its way out",
      [],
      (gauge) => gauge.set(observe().isDraining ? 1 : 0),
      "max",
    );
    this.#gauge(
      "certificate_expires_timestamp_seconds",
      "End of the API port's certificate",
      [],
      (gauge) => gauge.set(observe().certificateExpiresAt / 1_000),
      "min",
    );
    const bytes = this.#counter(
      "visitor_bytes_total",
      "Bytes from visitors (in) and to them (out), encrypted",
      ["direction"],
      () => {
        bytes.reset();
        bytes.inc({ direction: "in" }, this.traffic.bytesIn);
        bytes.inc({ direction: "out" }, this.traffic.bytesOut);
      },
    );
  }

  /** Counts a client's bytes. Clients beyond the number that have figures of their own are counted as `other`. */
  clientBytes(label: string, { bytesIn, bytesOut }: { readonly bytesIn: number; readonly bytesOut: number }): void {
    if (this.#maxOwnFigures === 0) return;
    if (this.#ownFigures.size < this.#maxOwnFigures) this.#ownFigures.add(label);
    const client = this.#ownFigures.has(label) ? label : "other";
    this.#clientBytes.inc({ client, direction: "in" }, bytesIn);
    this.#clientBytes.inc({ client, direction: "out" }, bytesOut);
  }

  visitor(outcome: VisitorOutcome): void {
    this.#visitors.inc({ outcome });
  }

  limited(limit: LimitName): void {
    this.#limited.inc({ limit });
  }

  clientAdmitted(transport: LinkKind): void {
    this.#admitted.inc({ transport });
  }

  clientRefused(code: ErrorCode): void {
    this.#refused.inc({ code });
  }

  linkEnded(transport: LinkKind, code: ErrorCode): void {
    this.#ended.inc({ transport, code });
  }

  #counter<L extends string>(name: string, help: string, labelNames: readonly L[], collect?: () => void): Counter<L> {
    const configuration = { name: `porthole_${name}`, help, labelNames, registers: [this.registry] };
    return new Counter(collect ? { ...configuration, collect } : configuration);
  }

  #gauge<L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    fill: (gauge: Gauge<L>) => void,
    // What the workers of a relay make of their figures.
    aggregator: "sum" | "first" | "max" | "min" = "sum",
  ): void {
    const gauge: Gauge<L> = new Gauge({
      name: `porthole_${name}`,
      help,
      labelNames,
      aggregator,
      registers: [this.registry],
      collect: () => fill(gauge),
    });
  }
}
