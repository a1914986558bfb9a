import { PortholeError } from "@porthole/common/errors";
import { ClientAcceptor } from "./clients/client-acceptor.ts";
import { ClientSessions } from "./clients/client-sessions.ts";
import { openAdmin } from "./monitoring/admin.ts";
import { drain } from "./commands/drain.ts";
import { StartupGrace } from "./visitors/startup-grace.ts";
import { changedSettings } from "./config/changed-settings.ts";
import { openCertificate, type CertificateSource, type RelayCertificate } from "./certificates/relay-certificate.ts";
import { advertisedAddressOf, writeAdvertisedAddress } from "./config/advertised-address.ts";
import type { RelayConfig } from "./config/config.ts";
import type { Relay, RelayCounts, RelayOptions } from "./contract.ts";
import { listenHttp, type HttpListener } from "./listeners/http-listener.ts";
import { HttpsRedirect } from "./visitors/https-redirect.ts";
import { ClientGate, VisitorGate, type LimitName } from "./limits/index.ts";
import { Metrics, type Observed } from "./monitoring/metrics.ts";
import type { QuicWorkerFacts } from "./quic-worker/facts.ts";
import { registerQuicWorkerMetrics } from "./quic-worker/metrics.ts";
import { OpenPorts } from "./listeners/open-ports.ts";
import { createRegistry, type Registry } from "./clients/registry.ts";
import { reportOf, type RelayReport } from "./monitoring/report.ts";

/** Opens all ports, or none: rejects with `address`, `state`, `key` or `usage`, and has closed what was open then. */
export async function startRelay(config: RelayConfig, options: RelayOptions): Promise<Relay> {
  const relay = new RunningRelay(config, options);
  try {
    await relay.open();
    return relay;
  } catch (reason) {
    await relay.close();
    throw reason;
  }
}

class RunningRelay implements Relay {
  #config: RelayConfig;
  readonly #options: RelayOptions;
  readonly #registry: Registry;
  readonly #startupGrace: StartupGrace;
  readonly #stop = new AbortController();
  readonly #startedAt: number;
  readonly metrics = new Metrics(() => this.#observe());
  readonly #clientGate: ClientGate;
  readonly #visitorGate: VisitorGate;
  readonly #redirect: HttpsRedirect;
  #admin: HttpListener | undefined;
  #http: HttpListener | undefined;
  #certificate: RelayCertificate | undefined;
  #acceptor: ClientAcceptor | undefined;
  #source: CertificateSource | undefined;
  #isDraining = false;
  #keeping: Promise<void> | undefined;
  #clients: ClientSessions | undefined;
  #ports: OpenPorts | undefined;

  constructor(config: RelayConfig, options: RelayOptions) {
    this.#config = config;
    this.#options = options;
    this.#startedAt = options.clock.now();
    registerQuicWorkerMetrics(this.metrics.registry, () => this.quic());
    this.#startupGrace = new StartupGrace(options.clock, config.limits.startupGraceMs);
    this.#registry = createRegistry((hostname) => this.#startupGrace.arrived(hostname));
    const gates = {
      clock: options.clock,
      limits: () => this.#config.limits,
      onLimit: (limit: LimitName) => this.metrics.limited(limit),
    };
    this.#clientGate = new ClientGate(gates);
    this.#visitorGate = new VisitorGate(gates);
    this.#redirect = new HttpsRedirect({
      clock: options.clock,
      isServed: (hostname) => this.#registry.find(hostname).length > 0,
      publicPort: () => this.publicPort,
    });
  }

  get fingerprint(): string {
    return this.#acceptor?.fingerprint ?? "";
  }

  get apiPort(): number {
    return this.#ports?.api ?? 0;
  }

  get publicPort(): number {
    return this.#ports?.public ?? 0;
  }

  get alpnPort(): number | undefined {
    return this.#ports?.alpn;
  }

  get quicUnavailable(): string | undefined {
    const facts = this.quic();
    return facts?.state === "unavailable" ? facts.reason : undefined;
  }

  quic(): QuicWorkerFacts | undefined {
    return this.#acceptor?.quic();
  }

  async open(): Promise<void> {
    const { admin, httpPort } = this.#config;
    const { clock, log } = this.#options;
    const source = await openCertificate(this.#config, {
      clock,
      log,
      onCertificate: (certificate) => {
        this.#certificate = certificate;
        this.#acceptor?.setCertificate(certificate);
      },
    });
    this.#certificate = source.first;
    this.#source = source;
    const clients = await ClientSessions.open({
      ...this.#options,
      config: this.#config,
      metrics: this.metrics,
      registry: this.#registry,
      gate: this.#clientGate,
      ticket: (holder, anywhere) => this.#acceptor?.ticket(holder, anywhere),
      publicPort: () => this.publicPort,
      refusal: () => (this.#isDraining ? new PortholeError("draining", "this relay is being stopped") : undefined),
      signal: this.#stop.signal,
    });
    this.#clients = clients;
    const acceptor = new ClientAcceptor({
      clock,
      log,
      certificate: source.first,
      signal: this.#stop.signal,
      gate: this.#clientGate,
      onConnection: (connection, pendingClient) => clients.serve(connection, pendingClient),
      onQuicUp: () => void clients.offerQuic(),
    });
    this.#acceptor = acceptor;
    const ports = new OpenPorts({
      config: this.#config,
      acceptor,
      visitors: {
        ...{ clock, log, metrics: this.metrics, registry: this.#registry, startupGrace: this.#startupGrace },
        gate: this.#visitorGate,
        suffixes: this.#config.suffixes,
        redirect: this.#redirect,
        ownNames: this.#config.ownNames,
        ownChallenge: (name) => (name === source.challengeName ? source.challenges.find(name) : undefined),
        signal: this.#stop.signal,
      },
    });
    this.#ports = ports;
    await ports.openTcp();
    if (httpPort !== undefined) {
      this.#http = await listenHttp({
        ...{ address: this.#config.bindAddress, port: httpPort, flag: "http-port", maxConnections: 1_000 },
        onRequest: (request, response) => this.#redirect.answer(request, response),
      });
    }
    await ports.openQuic();
    if (admin) {
      const notReady = (): string | undefined => (this.#isDraining ? "draining" : undefined);
      this.#admin = await openAdmin({ ...admin, metrics: this.metrics, notReady });
    }
    await this.#writeAdvertisedAddress(source.first);
    this.#keeping = source.keep(this.#stop.signal);
  }

  get adminPort(): number | undefined {
    return this.#admin?.port;
  }

  get httpPort(): number | undefined {
    return this.#http?.port;
  }

  counts(): RelayCounts {
    return { ...this.#registry.count(), sockets: this.#ports?.connections() ?? 0 };
  }

  report(): RelayReport {
    return reportOf({
      now: this.#options.clock.now(),
      startedAt: this.#startedAt,
      isDraining: this.#isDraining,
      ports: {
        ...{ api: this.apiPort, public: this.publicPort, alpn: this.alpnPort },
        ...{ http: this.httpPort, admin: this.adminPort },
      },
      fingerprint: this.fingerprint,
      certificateExpiresAt: this.#certificate?.expiresAt ?? 0,
      quicUnavailable: this.quicUnavailable,
      traffic: this.metrics.traffic,
      links: this.#registry.all(),
    });
  }

  #observe(): Observed {
    const links = { quic: { links: 0, streams: 0 }, http2: { links: 0, streams: 0 }, memory: { links: 0, streams: 0 } };
    for (const { link } of this.#registry.all()) {
      links[link.kind].links += 1;
      links[link.kind].streams += link.openStreams;
    }
    const { clients, sockets } = this.counts();
    const certificateExpiresAt = this.#certificate?.expiresAt ?? 0;
    return {
      ...{ links, clients, sockets, certificateExpiresAt },
      pendingHellos: this.#visitorGate.pending,
      pendingClients: this.#clientGate.pending,
      isDraining: this.#isDraining,
    };
  }

  async reload(config: RelayConfig): Promise<readonly string[]> {
    const changed = changedSettings(this.#config, config);
    this.#config = { ...this.#config, limits: config.limits };
    await Promise.all([this.#source?.reread(), this.#clients?.reread()]);
    return changed.filter((name) => name !== "limits");
  }

  disconnect(key: string): number {
    return this.#clients?.disconnect(key) ?? 0;
  }

  async drain(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { drainMs } = this.#config.limits;
    this.#isDraining = true;
    if (drainMs === 0) return;
    this.#clients?.announceEnd(drainMs);
    const shut = (): void => this.#ports?.stop();
    await drain({ clock, delayMs: drainMs, visitors: this.#visitorGate, shut }, signal);
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    const reason = new PortholeError("draining", "The relay stops");
    this.#stop.abort(reason);
    this.#ports?.stop();
    await this.#clients?.ended();
    await this.#ports?.close();
    await this.#acceptor?.close();
    await Promise.all([this.#admin?.close(), this.#http?.close()]);
    await this.#clients?.close();
    await this.#keeping;
  }

  /** Without it no invites can be made; everything else goes on. */
  async #writeAdvertisedAddress(certificate: RelayCertificate): Promise<void> {
    try {
      await writeAdvertisedAddress(this.#config.stateDir, advertisedAddressOf(this.#config, this.apiPort, certificate));
    } catch (reason) {
      this.#options.log.warn({}, PortholeError.from(reason).message);
    }
  }
}
