import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { createCertificate, loadOrCreateKey } from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import type { Clock, Timer } from "@porthole/common/util";
import type { Registry } from "../clients/registry.ts";
import type { VisitorGate } from "../limits/index.ts";
import { listenTcp, type TcpListener } from "../listeners/tcp-listener.ts";
import { Traffic } from "../monitoring/traffic.ts";
import type { Place, Places } from "../visitors/place.ts";
import { ownFile } from "../workers/role.ts";
import { Beats } from "./beats.ts";
import { limits } from "./limits.ts";
import type { NatsLedger } from "./nats/nats-ledger.ts";
import { LinkBus } from "./link-bus.ts";
import { NameMirror } from "./name-mirror.ts";
import { NameTeller, namesTopic } from "./name-teller.ts";
import { decodeNames } from "./names-wire.ts";
import { shortNode, type Peer } from "./peer.ts";
import { PeerDialer } from "./peer-dialer.ts";
import { PeerLinks } from "./peer-links.ts";
import type { ClusterReport } from "./report.ts";
import { SharedChallenges } from "./shared-challenges.ts";
import { joinCluster, membersOf, type SharedConfig } from "./shared.ts";
import { serveForwarded } from "./serve-forwarded.ts";

/** Settings of a relay in a cluster. */
export interface ClusterConfig {
  readonly address: string;
  /** The port for the other relays. */
  readonly port: number;
  /** All relays of the cluster; this one may be among them. */
  readonly peers: readonly Peer[];
  /** This relay's address for the other relays. */
  readonly advertised: { readonly host: string; readonly port: number };
  /** The engine that keeps what all relays know; undefined for relays that share nothing but visitors. */
  readonly shared: SharedConfig | undefined;
}

export interface ClusterDeps {
  readonly stateDir: string;
  /** Number of this process, where several share the state folder. */
  readonly worker?: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  readonly gate: VisitorGate;
  readonly isDraining: () => boolean;
  /** For how long clients of a relay that is gone are expected at another one. */
  readonly graceMs: () => number;
  /** A name is served by another relay now. */
  readonly onArrival: (name: string) => void;
}

const certificateDays = 3_650;

/** The key by which the other relays know this one. Made when the file is missing; it never leaves the machine. */
export function nodeKey(stateDir: string, logger: Logger, worker = 0): ReturnType<typeof loadOrCreateKey> {
  return loadOrCreateKey(join(stateDir, ownFile("node-key.pem", worker)), { logger });
}

/** One relay's part in a cluster: tells the others which names it serves, and leads visitors to whom they serve. The caller closes it. */
export class Cluster implements Places {
  readonly #deps: ClusterDeps;
  readonly #node: string;
  readonly #bus: LinkBus;
  /** Challenges for the name that all relays have. */
  readonly challenges: SharedChallenges;
  readonly #teller: NameTeller;
  readonly #mirror: NameMirror;
  readonly #beats: Beats;
  readonly #links: PeerLinks;
  readonly #dialers = new Map<string, PeerDialer>();
  readonly #incoming = new Map<string, Traffic>();
  readonly #confused = new Map<string, Timer>();
  readonly #closing = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #cert: string;
  readonly #key: string;
  #listener: TcpListener | undefined;
  #ledger: NatsLedger | undefined;
  #fixed: readonly Peer[] = [];

  private constructor(deps: ClusterDeps, key: Awaited<ReturnType<typeof nodeKey>>) {
    const { clock, log, registry } = deps;
    this.#deps = deps;
    this.#node = key.fingerprint;
    this.#key = key.pem;
    const notBefore = new Date(clock.now() - 48 * 3_600_000);
    this.#cert = createCertificate({ key, dnsNames: ["relay"], notBefore, days: certificateDays }).pem;
    this.#bus = new LinkBus(log);
    this.challenges = new SharedChallenges({ bus: this.#bus, clock, log });
    this.#teller = new NameTeller({ bus: this.#bus, clock, names: () => registry.names() });
    this.#mirror = new NameMirror({
      ...{ clock, graceMs: deps.graceMs, onArrival: deps.onArrival },
      onConfusion: (node) => this.#listenAgain(node),
    });
    this.#beats = new Beats({
      ...{ bus: this.#bus, clock },
      own: () => ({ ...this.#teller.told, isLeaving: deps.isDraining(), ...registry.count() }),
      onBeat: (node, beat) => this.#mirror.check(node, beat),
    });
    this.#links = new PeerLinks({
      ...{ cert: this.#cert, key: this.#key, clock, log, bus: this.#bus, signal: this.#stop.signal },
      isPeer: (node) => this.#dialers.has(node),
    });
    this.#bus.subscribe(namesTopic, (from, bytes) => this.#mirror.hear(from, decodeNames(bytes)));
    this.#bus.onSpeaker((from, isHeard) => {
      if (!isHeard) this.#mirror.lost(from);
    });
  }

  /** Opens the port for relays and dials the others. Rejects with `address`, `state` or `key`. */
  static async open(config: ClusterConfig, deps: ClusterDeps): Promise<Cluster> {
    const cluster = new Cluster(deps, await nodeKey(deps.stateDir, deps.log, deps.worker));
    for (const name of deps.registry.names()) cluster.#teller.changed(name, true);
    cluster.#fixed = config.peers;
    cluster.setPeers(config.peers);
    try {
      cluster.#listener = await listenTcp({
        ...{ address: config.address, port: config.port, flag: "peer-port", isExclusive: true },
        isWanted: () => cluster.#links.admits(),
        onConnection: (socket) => cluster.#links.accept(socket),
      });
    } catch (reason) {
      await cluster.close();
      throw reason;
    }
    return cluster;
  }

  /** Fingerprint of this relay's node key. */
  get node(): string {
    return this.#node;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  /** This relay's own clients; where there is none that answers, those of others too. Relays that stop come last. */
  find(hostname: string): readonly Place[] {
    const own = this.#deps.registry.find(hostname);
    if (own[0] && !own[0].link.isSilent) return own;
    const nodes = this.#mirror.find(hostname);
    if (nodes.length === 0) return own;
    const others = nodes
      .map((node) => ({ places: this.#links.of(node), isLeaving: this.#beats.of(node)?.isLeaving ?? false }))
      .filter(({ places }) => places.length > 0)
      .toSorted((a, b) => rank(a) - rank(b) || load(a) - load(b));
    return [...own, ...others.flatMap(({ places }) => places)];
  }

  /** Joins the relays that are in the ledger, and follows who comes and goes. Rejects with `unauthorized` for a relay that was removed. */
  async follow(ledger: NatsLedger, { host, port }: ClusterConfig["advertised"], signal: AbortSignal): Promise<void> {
    this.#ledger = ledger;
    const update = (): void => this.setPeers([...this.#fixed, ...membersOf(ledger.state)]);
    ledger.watch(update);
    update();
    await joinCluster(ledger, { node: this.#node, host, port }, signal);
  }

  /** These are the relays of the cluster from now on. */
  setPeers(peers: readonly Peer[]): void {
    const nodes = new Map(peers.map((peer) => [peer.node, peer]));
    for (const [node, { peer }] of this.#dialers) {
      const now = nodes.get(node);
      if (now && now.host === peer.host && now.port === peer.port) continue;
      this.#remove(node);
      if (!now) this.#links.dismiss(node);
    }
    for (const peer of peers) this.#add(peer);
  }

  /** For how long the client of this name is expected, because its relay was lost; 0 for any other name. */
  expectedMs(hostname: string): number {
    return this.#mirror.expectedMs(hostname);
  }

  /** See NameTeller. */
  changed(name: string, isHere: boolean): void {
    this.#teller.changed(name, isHere);
  }

  /** Tells the others at once that this relay stops. */
  announceEnd(): void {
    this.#beats.beat();
  }

  report(): ClusterReport {
    return {
      node: this.#node,
      port: this.port,
      engine: this.#ledger?.report(),
      names: this.#mirror.size,
      peers: [...this.#dialers.values()].map(({ peer, links: dialled, failure }) => {
        const places = this.#links.of(peer.node);
        const [to, from] = [this.#links.traffic(peer.node), this.#traffic(peer.node)];
        const beat = this.#beats.of(peer.node);
        return {
          ...{ node: peer.node, host: peer.host, port: peer.port },
          isHeard: this.#bus.hears(peer.node),
          isLeaving: beat?.isLeaving ?? false,
          software: beat?.software,
          clients: beat?.clients,
          ...{ linksTo: dialled, linksFrom: places.length, failure: failure?.message },
          names: this.#mirror.count(peer.node),
          to: { visitors: to.visitors, bytesIn: to.bytesIn, bytesOut: to.bytesOut },
          from: { visitors: from.visitors, bytesIn: from.bytesIn, bytesOut: from.bytesOut },
        };
      }),
    };
  }

  async close(): Promise<void> {
    const reason = new PortholeError("draining", "The relay stops");
    this.#stop.abort(reason);
    this.#teller.close();
    this.#beats.close();
    for (const timer of this.#confused.values()) timer.cancel();
    await Promise.all([...this.#dialers.values()].map((dialer) => dialer.close(reason)));
    await Promise.all(this.#closing);
    await this.#links.close(reason);
    await this.#listener?.close();
    this.#mirror.close();
  }

  #add(peer: Peer): void {
    if (peer.node === this.#node || this.#dialers.has(peer.node)) return;
    const { clock, log, registry, gate } = this.#deps;
    const deps = {
      ...{ local: registry, gate, bus: this.#bus, clock, log, signal: this.#stop.signal },
      traffic: this.#traffic(peer.node),
    };
    this.#dialers.set(
      peer.node,
      new PeerDialer({
        ...{ peer, cert: this.#cert, key: this.#key, clock, log },
        onStream: (stream) => void serveForwarded(stream, peer.node, deps),
      }),
    );
  }

  #remove(node: string): void {
    const dialer = this.#dialers.get(node);
    this.#dialers.delete(node);
    if (!dialer) return;
    const reason = new PortholeError("closed", "This relay is not where it was");
    const closing = dialer.close(reason).finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #traffic(node: string): Traffic {
    const traffic = this.#incoming.get(node) ?? new Traffic();
    this.#incoming.set(node, traffic);
    return traffic;
  }

  /** Not at once: what does not fit may not fit again. */
  #listenAgain(node: string): void {
    if (this.#confused.has(node)) return;
    this.#deps.log.warn({ relay: shortNode(node) }, "A relay's list of names does not fit; it begins again");
    const timer = this.#deps.clock.timer(limits.beatMs, () => {
      this.#confused.delete(node);
      this.#bus.listenAgain(node);
    });
    this.#confused.set(node, timer);
  }
}

interface Candidate {
  readonly places: readonly Place[];
  readonly isLeaving: boolean;
}

function rank({ places, isLeaving }: Candidate): number {
  return (places[0]?.link.isSilent ? 2 : 0) + (isLeaving ? 1 : 0);
}

function load({ places }: Candidate): number {
  return places.reduce((sum, { link }) => sum + link.openStreams, 0);
}
