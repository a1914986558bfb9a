import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { Usage } from "../accounting/index.ts";
import { openCertificate, type CertificateSource, type RelayCertificate } from "../certificates/relay-certificate.ts";
import { ClientAcceptor } from "../clients/client-acceptor.ts";
import { ClientSessions } from "../clients/client-sessions.ts";

import { createRegistry, linksOf, type Registry } from "../clients/registry.ts";
import { Cluster } from "../cluster/cluster.ts";
import { sharedAcme } from "../cluster/shared-certificate.ts";
import { sharedQuotas } from "../cluster/shared-quotas.ts";
import { enrollmentsOf, openShared, shareServiceKey } from "../cluster/shared.ts";
import { registerClusterMetrics } from "../cluster/metrics.ts";
import { advertisedAddressOf, writeAdvertisedAddress } from "../config/advertised-address.ts";
import type { RelayConfig } from "../config/config.ts";
import { ClientGate, LimitLog, VisitorGate, type LimitName } from "../limits/index.ts";
import { listenHttp, type HttpListener } from "../listeners/http-listener.ts";
import { OpenPorts } from "../listeners/open-ports.ts";
import { openAdmin } from "../monitoring/admin.ts";
import { registerDiskMetrics } from "../monitoring/disk.ts";
import { Events } from "../monitoring/events.ts";
import { EventsWebhook } from "../monitoring/events-webhook.ts";
import { Metrics } from "../monitoring/metrics.ts";
import type { RelayReport } from "../monitoring/report.ts";
import { registerQuicWorkerMetrics } from "../quic-worker/metrics.ts";
import { OwnPage } from "../visitors/own-page.ts";
import { Fallback } from "../visitors/fallback.ts";
import { HttpsRedirect } from "../visitors/https-redirect.ts";
import { StartupGrace } from "../visitors/startup-grace.ts";
import { TicketOffice } from "../quic-worker/ticket-office.ts";
import { ownFile } from "../workers/role.ts";
import type { RelayOptions } from "./relay.ts";

/** The relay, for its parts. */
export interface PartsOptions extends RelayOptions {
  /** The limits in it may change while the relay runs. */
  readonly config: () => RelayConfig;
  /** True from the moment when the relay begins to stop. */
  readonly isDraining: () => boolean;
  /** Undefined while it opens. */
  readonly report: () => RelayReport | undefined;
}

/** Everything that a relay has open while it serves. */
export interface RelayParts {
  readonly registry: Registry;
  readonly clientGate: ClientGate;
  readonly visitorGate: VisitorGate;
  readonly usage: Usage;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly source: CertificateSource;
  readonly acceptor: ClientAcceptor;
  readonly clients: ClientSessions;
  readonly ports: OpenPorts;
  /** Undefined for a relay that is alone. */
  readonly cluster: Cluster | undefined;
  readonly http: HttpListener | undefined;
  readonly admin: HttpListener | undefined;
  /** The certificate in service now. */
  certificate(): RelayCertificate;
  /** Notifies the clients, then closes everything. */
  close(): Promise<void>;
}

/** Opens everything or nothing: rejects with `address`, `state`, `key` or `usage`, and has closed what was open then. */
export async function openParts(options: PartsOptions): Promise<RelayParts> {
  const stop = new AbortController();
  // In the order of opening; they are closed in the opposite one.
  const closers: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    stop.abort(new PortholeError("draining", "The relay stops"));
    for (const closeOne of closers.toReversed()) await closeOne();
  };
  try {
    return { ...(await openEach(options, closers, stop.signal)), close };
  } catch (reason) {
    await close();
    throw reason;
  }
}

async function openEach(
  options: PartsOptions,
  closers: (() => Promise<unknown>)[],
  signal: AbortSignal,
): Promise<Omit<RelayParts, "close">> {
  const { clock, log, isDraining, worker } = options;
  const config = options.config();
  // A ticket of one relay is good at all that have the secret.
  const ticketSecret = config.cluster?.shared?.secret ?? worker?.ticketSecret;
  const isFirst = (worker?.index ?? 0) === 0;
  const startupGrace = new StartupGrace(
    clock,
    config.limits.startupGraceMs,
    (hostname) => cluster?.expectedMs(hostname) ?? 0,
  );
  const registry = createRegistry({
    onAdd(hostname) {
      startupGrace.arrived(hostname);
      cluster?.changed(hostname, true);
    },
    onGone: (hostname) => cluster?.changed(hostname, false),
  });
  const metrics = new Metrics(
    () => ({
      links: [...linksOf(registry.all())],
      clients: registry.count().clients,
      sockets: ports.connections(),
      certificateExpiresAt: certificate.expiresAt,
      pendingHellos: visitorGate.pending,
      pendingClients: clientGate.pending,
      isDraining: isDraining(),
    }),
    config.clientMetrics,
  );
  registerDiskMetrics(metrics.registry, config.stateDir, clock, signal);
  const gates = {
    clock,
    limits: () => options.config().limits,
    onLimit: (limit: LimitName, of: string) => {
      metrics.limited(limit);
      limitLog.reached(limit, of);
    },
  };
  const webhook = config.eventsWebhook && new EventsWebhook(config.eventsWebhook, { clock, log });
  if (webhook) closers.push(() => webhook.close());
  const events = new Events(clock, webhook && ((event) => webhook.add(events.run, event)));
  const record = worker?.onEvent ?? events.record;
  const limitLog = new LimitLog(clock, log, record);
  const clientGate = new ClientGate({ ...gates, onHeld: (held) => limitLog.held(held) });
  const visitorGate = new VisitorGate(gates);

  let cluster: Cluster | undefined;
  const ledger =
    config.cluster?.shared &&
    (await openShared(config.cluster.shared, { clock, log, stateDir: config.stateDir, worker: worker?.index }));
  if (ledger) {
    closers.push(() => ledger.close());
    await shareServiceKey(ledger, { stateDir: config.stateDir, log }, signal);
  }
  if (config.cluster) {
    cluster = await Cluster.open(config.cluster, {
      ...{ stateDir: config.stateDir, worker: worker?.index },
      ...{ clock, log, registry, gate: visitorGate, isDraining },
      graceMs: () => options.config().limits.startupGraceMs,
      onArrival: (hostname) => startupGrace.arrived(hostname),
    });
    const opened = cluster;
    if (ledger || !worker) registerClusterMetrics(metrics.registry, () => opened.report());
    closers.push(async () => cluster?.close());
    if (ledger) await opened.follow(ledger, config.cluster.advertised, signal);
  }
  const places = cluster ?? registry;

  const source = await openCertificate(config, {
    clock,
    log,
    onCertificate: (renewed) => {
      certificate = renewed;
      ownPage.setCertificate(renewed);
      acceptor.setCertificate(renewed);
      record({ type: "certificate", expires: new Date(renewed.expiresAt).toISOString() });
    },
    onFailure: ({ code, message }) => record({ type: "certificate", code, reason: message }),
    shared: cluster && sharedAcme(config.acme?.domain, cluster, ledger, clock),
  });
  let certificate = source.first;
  const usage = await Usage.open(join(config.stateDir, ownFile("usage.json", worker?.index)), {
    ...{ clock, log },
    limits: () => options.config().limits,
    onBytes: (label, bytes) => metrics.clientBytes(label, bytes),
    onExceeded: (owner, reason) => clients.dismissOwner(owner, reason),
  });
  closers.push(() => usage.close());
  const clients = await ClientSessions.open({
    ...{ ...options, config, metrics, record, registry, usage, signal },
    ledger: ledger && enrollmentsOf(ledger),
    quotas: ledger && sharedQuotas(ledger, clock, config.quotas),
    instance: worker?.instance,
    gate: clientGate,
    ticket: (holder, anywhere) => acceptor.ticket(holder, anywhere),
    publicPort: () => config.advertisedPorts.public ?? ports.public,
    refusal: () => (isDraining() ? new PortholeError("draining", "this relay is being stopped") : undefined),
  });
  closers.push(() => clients.close());
  const acceptor = new ClientAcceptor({
    ...{ clock, log, certificate, signal, gate: clientGate },
    onConnection: (connection, pendingClient) => clients.serve(connection, pendingClient),
    onQuicUp: () => {
      worker?.onQuic(true);
      void clients.offerQuic();
    },
    onQuicRestart: (reason, restarts) => {
      worker?.onQuic(false);
      record({ type: "quic-restart", reason, restarts });
    },
    ticketsElsewhere: worker && new TicketOffice(clock, () => {}, ticketSecret),
  });
  closers.push(() => acceptor.close());
  registerQuicWorkerMetrics(metrics.registry, () => acceptor.quic());

  const ownPage = new OwnPage({ clock, ...certificate, abuseContact: config.abuseContact });
  const redirect = new HttpsRedirect({
    ...{ clock, ownPage, ownNames: config.ownNames },
    isServed: (hostname) => places.find(hostname).length > 0,
    publicPort: () => config.advertisedPorts.public ?? ports.public,
  });
  const ports = new OpenPorts({
    config,
    acceptor,
    visitors: {
      ...{ clock, log, metrics, places, startupGrace, ownPage, redirect, signal },
      gate: visitorGate,
      suffixes: config.suffixes,
      ownNames: config.ownNames,
      fallback: config.fallback && new Fallback({ ...config.fallback, clock, log }),
      ownChallenge: (name) => (name === source.challengeName ? source.challenges.find(name) : undefined),
    },
  });
  closers.push(async () => {
    ports.stop();
    await clients.ended();
    await ports.close();
  });
  await ports.openTcp();
  const http = await openHttp(config, redirect);
  if (http) closers.push(() => http.close());
  if (isFirst) await ports.openQuic(ticketSecret);
  const notReady = (): string | undefined => (isDraining() ? "draining" : undefined);
  const admin =
    config.admin &&
    (await openAdmin({
      ...config.admin,
      metrics: () => metrics.registry.metrics(),
      notReady,
      clock,
      signal,
      report: options.report,
      operations: options.operations,
    }));
  if (admin) closers.push(() => admin.close());
  if (isFirst) await advertise(options, ports, certificate);
  const keeping = source.keep(signal);
  closers.push(() => keeping);
  return {
    ...{
      registry,
      clientGate,
      visitorGate,
      usage,
      metrics,
      events,
      source,
      acceptor,
      clients,
      ports,
      cluster,
      http,
      admin,
    },
    certificate: () => certificate,
  };
}

async function openHttp(config: RelayConfig, redirect: HttpsRedirect): Promise<HttpListener | undefined> {
  if (config.httpPort === undefined) return undefined;
  return listenHttp({
    ...{ address: config.addresses.http, port: config.httpPort, flag: "http-port", maxConnections: 1_000 },
    onRequest: (request, response) => redirect.answer(request, response),
  });
}

/** Writes down how clients reach the relay. Without it no invites can be made; everything else works. */
async function advertise(options: PartsOptions, ports: OpenPorts, certificate: RelayCertificate): Promise<void> {
  const config = options.config();
  try {
    await writeAdvertisedAddress(config.stateDir, advertisedAddressOf(config, ports, certificate));
  } catch (reason) {
    options.log.warn({}, PortholeError.from(reason).message);
  }
}
