import { changedSettings } from "../config/changed-settings.ts";
import type { Peer } from "../cluster/peer.ts";
import type { RelayConfig } from "../config/config.ts";
import type { EventsAnswer, EventsPosition } from "../monitoring/events.ts";
import type { Metrics } from "../monitoring/metrics.ts";
import { reportOf, type RelayReport } from "../monitoring/report.ts";
import type { QuicWorkerFacts } from "../quic-worker/facts.ts";
import { drain } from "./drain.ts";
import { openParts, type RelayParts } from "./open-parts.ts";
import type { Relay, RelayCounts, RelayOptions } from "./relay.ts";

/** A relay's state that changes while it runs. It may close without a drain. */
interface Life {
  config: RelayConfig;
  phase: "opening" | "serving" | "draining" | "closing";
}

/** Opens all ports, or none: rejects with `address`, `state`, `key` or `usage`, and has closed what was open then. */
export async function startRelay(config: RelayConfig, options: RelayOptions): Promise<Relay> {
  const life: Life = { config, phase: "opening" };
  let relay: RunningRelay | undefined;
  const parts = await openParts({
    ...options,
    report: () => relay?.report(),
    config: () => life.config,
    isDraining: () => life.phase === "draining" || life.phase === "closing",
  });
  life.phase = "serving";
  relay = new RunningRelay(life, parts, options);
  return relay;
}

class RunningRelay implements Relay {
  readonly #life: Life;
  readonly #parts: RelayParts;
  readonly #options: RelayOptions;
  readonly #startedAt: number;

  constructor(life: Life, parts: RelayParts, options: RelayOptions) {
    this.#life = life;
    this.#parts = parts;
    this.#options = options;
    this.#startedAt = options.clock.now();
  }

  get metrics(): Metrics {
    return this.#parts.metrics;
  }

  get fingerprint(): string {
    return this.#parts.acceptor.fingerprint;
  }

  get apiPort(): number {
    return this.#parts.ports.api;
  }

  get publicPort(): number {
    return this.#parts.ports.public;
  }

  get alpnPort(): number | undefined {
    return this.#parts.ports.alpn;
  }

  get httpPort(): number | undefined {
    return this.#parts.http?.port;
  }

  get peerPort(): number | undefined {
    return this.#parts.cluster?.port;
  }

  get peer(): Peer | undefined {
    const { cluster } = this.#parts;
    return cluster && { node: cluster.node, host: "127.0.0.1", port: cluster.port };
  }

  get adminPort(): number | undefined {
    return this.#parts.admin?.port;
  }

  get quicUnavailable(): string | undefined {
    const facts = this.quic();
    return facts?.state === "unavailable" ? facts.reason : undefined;
  }

  get #quicEngine(): string | undefined {
    const serving = this.quic()?.serving;
    return serving && `${serving.name}, because ${serving.why}`;
  }

  quic(): QuicWorkerFacts | undefined {
    return this.#parts.acceptor.quic();
  }

  counts(): RelayCounts {
    return { ...this.#parts.registry.count(), sockets: this.#parts.ports.connections() };
  }

  report(): RelayReport {
    return reportOf({
      now: this.#options.clock.now(),
      startedAt: this.#startedAt,
      isDraining: this.#life.phase !== "serving",
      ports: {
        ...{ api: this.apiPort, public: this.publicPort, alpn: this.alpnPort },
        ...{ http: this.httpPort, admin: this.adminPort },
      },
      fingerprint: this.fingerprint,
      certificateExpiresAt: this.#parts.certificate().expiresAt,
      quicUnavailable: this.quicUnavailable,
      quicEngine: this.#quicEngine,
      traffic: this.metrics.traffic,
      links: this.#parts.registry.all(),
      usage: (owner) => this.#parts.usage.of(owner),
      held: this.#parts.clientGate.held(),
      cluster: this.#parts.cluster?.report(),
    });
  }

  events(position?: Partial<EventsPosition>): EventsAnswer {
    return this.#parts.events.since(position);
  }

  async reload(config: RelayConfig): Promise<readonly string[]> {
    const changed = changedSettings(this.#life.config, config);
    this.#life.config = { ...this.#life.config, limits: config.limits };
    await Promise.all([this.#parts.source.reread(), this.#parts.clients.reread()]);
    return changed.filter((name) => name !== "limits");
  }

  disconnect(key: string): number {
    return this.#parts.clients.disconnect(key);
  }

  setPeers(peers: readonly Peer[]): void {
    this.#parts.cluster?.setPeers(peers);
  }

  setQuicElsewhere(isUp: boolean): void {
    this.#parts.acceptor.setQuicElsewhere(isUp);
  }

  unblock(address: string): boolean {
    return this.#parts.clientGate.unblock(address);
  }

  async drain(signal: AbortSignal): Promise<void> {
    const { clients, ports, cluster, visitorGate: visitors } = this.#parts;
    const { drainMs } = this.#life.config.limits;
    this.#life.phase = "draining";
    cluster?.announceEnd();
    if (drainMs === 0) return;
    clients.announceEnd(drainMs);
    await drain({ clock: this.#options.clock, delayMs: drainMs, visitors, shut: () => ports.stop() }, signal);
  }

  async close(): Promise<void> {
    this.#life.phase = "closing";
    this.#parts.ports.stop();
    await this.#parts.close();
  }
}
