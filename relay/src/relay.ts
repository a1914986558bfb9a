import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { readPeer } from "@porthole/common/identity";
import type { Carrier } from "@porthole/common/link";
import { createHttp2Acceptor } from "@porthole/common/link/http2";
import { listenQuic, quicAvailability, type QuicListener } from "@porthole/common/link/quic";
import type { Logger } from "@porthole/common/log";
import { limits } from "@porthole/common/protocol";
import { deadline, type Clock } from "@porthole/common/util";
import { authorizedKeys, openToAll, unknownClient, type Authorize, type AuthorizedKeys } from "./admission.ts";
import { refuse, serveAgent, type AgentDeps } from "./agent.ts";
import { loadCertificate, type RelayCertificate } from "./certificate.ts";
import type { RelayConfig } from "./config.ts";
import { createRegistry, type Registry } from "./registry.ts";
import { version } from "@porthole/common/version";
import { listenTcp, type TcpListener } from "./tcp-listener.ts";
import { serveVisitor, type VisitorDeps } from "./visitor.ts";

export interface RelayOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Decides instead of the configuration's admission. */
  readonly authorize?: Authorize;
}

export interface RelayCounts {
  readonly agents: number;
  readonly links: number;
  /** Visitors on the links. */
  readonly streams: number;
  /** TCP connections of agents and visitors. */
  readonly sockets: number;
}

export interface Relay {
  readonly apiPort: number;
  readonly publicPort: number;
  readonly alpnPort: number | undefined;
  /** What clients pin. */
  readonly fingerprint: string;
  /** Why there is no QUIC, if there is none. */
  readonly quicUnavailable: string | undefined;
  counts(): RelayCounts;
  /** Tells the agents, then ends everything. */
  close(): Promise<void>;
}

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
  readonly #config: RelayConfig;
  readonly #options: RelayOptions;
  readonly #registry: Registry = createRegistry();
  readonly #stop = new AbortController();
  readonly #agents = new Set<Promise<void>>();
  readonly #listeners: TcpListener[] = [];
  #certificate: RelayCertificate | undefined;
  #keys: AuthorizedKeys | undefined;
  #quic: QuicListener | undefined;
  #pendingAgents = 0;
  apiPort = 0;
  publicPort = 0;
  alpnPort: number | undefined;
  quicUnavailable: string | undefined;

  constructor(config: RelayConfig, options: RelayOptions) {
    this.#config = config;
    this.#options = options;
  }

  get fingerprint(): string {
    return this.#certificate?.fingerprint ?? "";
  }

  async open(): Promise<void> {
    const { admission, apiPort, publicPort, alpnPort } = this.#config;
    this.#certificate = await loadCertificate(this.#config, this.#options.log);
    if (admission.kind === "keys") {
      this.#keys = await authorizedKeys(admission.path, this.#options.log, () => this.#dismissUnknown());
    }
    const onAgent = this.#acceptHttp2(this.#certificate);
    const shared = apiPort !== 0 && apiPort === publicPort;
    this.publicPort = await this.#openVisitors("pub-port", publicPort, false, shared ? onAgent : undefined);
    if (alpnPort !== undefined)
      this.alpnPort =
        alpnPort === publicPort ? this.publicPort : await this.#openVisitors("alpn-port", alpnPort, true, undefined);
    this.apiPort = shared ? this.publicPort : await this.#listen("api-port", apiPort, onAgent);
    await this.#openQuic(this.#certificate);
  }

  counts(): RelayCounts {
    const sockets = this.#listeners.reduce((sum, listener) => sum + listener.connections(), 0);
    return { ...this.#registry.count(), sockets };
  }

  async close(): Promise<void> {
    const reason = new PortholeError("draining", "The relay stops");
    this.#stop.abort(reason);
    for (const listener of this.#listeners) listener.stop();
    this.#keys?.close();
    await Promise.all(this.#agents);
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    await this.#quic?.close();
  }

  async #listen(flag: string, port: number, onConnection: (socket: Socket) => void): Promise<number> {
    const listener = await listenTcp({ address: this.#config.bindAddress, port, flag, onConnection });
    this.#listeners.push(listener);
    return listener.port;
  }

  #openVisitors(
    flag: string,
    port: number,
    challengesOnly: boolean,
    onAgent: ((socket: Socket) => void) | undefined,
  ): Promise<number> {
    const deps: VisitorDeps = {
      clock: this.#options.clock,
      log: this.#options.log,
      registry: this.#registry,
      suffixes: this.#config.suffixes,
      challengesOnly,
      onAgent,
    };
    return this.#listen(flag, port, (socket) => serveVisitor(socket, deps));
  }

  #acceptHttp2(certificate: RelayCertificate): (socket: Socket) => void {
    const acceptor = createHttp2Acceptor({ ...certificate, verifyPeer: (der) => void readPeer(der) });
    return (socket) => {
      if (this.#pendingAgents >= limits.maxPendingAgents) {
        socket.destroy();
        return;
      }
      this.#pendingAgents += 1;
      const what = "An agent's handshake";
      const { signal, release } = deadline(this.#options.clock, limits.admissionDeadlineMs, what, this.#stop.signal);
      void acceptor
        .accept(socket, { signal })
        .finally(() => {
          this.#pendingAgents -= 1;
          release();
        })
        .then(
          (carrier) => this.#serveAgent(carrier),
          (reason: unknown) => {
            const error = PortholeError.from(reason);
            this.#options.log.debug({ code: error.code }, error.message);
          },
        );
    };
  }

  /** A machine without the native code serves over HTTP/2. */
  async #openQuic(certificate: RelayCertificate): Promise<void> {
    const availability = quicAvailability();
    if (!availability.available) {
      this.quicUnavailable = availability.reason;
      return;
    }
    const { cert, key } = certificate;
    const init = { signal: this.#stop.signal };
    this.#quic = await listenQuic({ address: this.#config.bindAddress, port: this.apiPort, cert, key }, init);
    const { incoming } = this.#quic;
    void (async () => {
      for await (const carrier of incoming) this.#serveAgent(carrier);
    })();
  }

  /** The list of keys has changed: whoever is not on it any more has to go. */
  #dismissUnknown(): void {
    for (const agent of this.#registry.all()) {
      if (this.#keys?.isAllowed(agent) !== false) continue;
      this.#registry.remove(agent);
      void refuse(agent.link, unknownClient(agent.clientId));
    }
  }

  #serveAgent(carrier: Carrier): void {
    const deps: AgentDeps = {
      clock: this.#options.clock,
      log: this.#options.log,
      registry: this.#registry,
      authorize: this.#options.authorize ?? this.#keys?.authorize ?? openToAll,
      suffixes: this.#config.suffixes,
      publicPort: this.publicPort,
      software: `porthole-relay/${version}`,
      signal: this.#stop.signal,
    };
    const served = serveAgent(carrier, deps).finally(() => this.#agents.delete(served));
    this.#agents.add(served);
  }
}
