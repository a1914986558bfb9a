import { join } from "node:path";
import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import type { Secret } from "@porthole/common/util";
import type { ClientAcceptor } from "../clients/client-acceptor.ts";
import type { RelayConfig } from "../config/config.ts";
import { addressesOf } from "./addresses-of.ts";
import { behindBalancers, type Taking } from "./balancers.ts";
import { planPorts, type PortPlan } from "./port-plan.ts";
import { listenTcp, type TcpListener } from "./tcp-listener.ts";
import { admitsVisitor, serveVisitor, type VisitorDeps } from "../visitors/visitor.ts";

/** Ports that the system chooses for clients before one is free for QUIC, too. */
const maxChoices = 10;

export interface OpenPortsDeps {
  readonly config: RelayConfig;
  readonly acceptor: ClientAcceptor;
  readonly visitors: Omit<VisitorDeps, "challengesOnly" | "onClient">;
}

/** The ports by which clients, visitors and validators come in. The caller closes it, also after a failure. */
export class OpenPorts {
  readonly #deps: OpenPortsDeps;
  readonly #plans: readonly PortPlan[];
  readonly #listeners = new Map<PortPlan, TcpListener>();

  constructor(deps: OpenPortsDeps) {
    this.#deps = deps;
    this.#plans = planPorts(deps.config);
  }

  /** 0 before it is open, as the public one. */
  get api(): number {
    return this.#portOf("clients") ?? 0;
  }

  get public(): number {
    return this.#portOf("visitors") ?? 0;
  }

  get alpn(): number | undefined {
    return this.#portOf("challenges");
  }

  /** TCP connections that are open. */
  connections(): number {
    return [...this.#listeners.values()].reduce((sum, listener) => sum + listener.connections(), 0);
  }

  /** Rejects with `address`. */
  async openTcp(): Promise<void> {
    for (const plan of this.#plans) await this.#open(plan);
  }

  /** Opens the UDP port with the number of the clients' TCP port. Where the system chose that number and it is taken, it chooses again. */
  async openQuic(ticketSecret?: Secret): Promise<void> {
    const { config, acceptor } = this.#deps;
    const clients = this.#plans.find((plan) => plan.clients);
    if (!clients) return;
    for (let choice = 1; ; choice++) {
      try {
        await acceptor.openQuic({
          address: config.addresses.quic,
          port: config.quicPort ?? this.api,
          admission: config.quicAdmission,
          engine: config.quicEngine,
          memoryCapBytes: config.quicMemoryBytes,
          ticketKeysPath: join(config.stateDir, "quic-ticket-keys.json"),
          ticketSecret,
        });
        return;
      } catch (cause) {
        const { code, message } = PortholeError.from(cause);
        if (code !== "address") throw cause;
        if ((config.quicPort ?? clients.port) !== 0 || choice === maxChoices)
          throw new PortholeError("address", message, {
            cause,
            hint: `Stop the program that has this UDP port, or choose another one with --${config.quicPort === undefined ? "api-port" : "quic-port"}.`,
          });
      }
      await this.#listeners.get(clients)?.close();
      await this.#open(clients);
    }
  }

  /** Takes nobody new. */
  stop(): void {
    for (const listener of this.#listeners.values()) listener.stop();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
  }

  #portOf(who: "clients" | "visitors" | "challenges"): number | undefined {
    const plan = this.#plans.find((each) => each[who]);
    return plan && this.#listeners.get(plan)?.port;
  }

  async #open(plan: PortPlan): Promise<void> {
    const { config, acceptor, visitors } = this.#deps;
    const { flag, address, port, ...who } = plan;
    const admitsClient = (from: string | undefined): boolean => acceptor.admits(from);
    const acceptClient = (socket: Socket): void => acceptor.accept(socket);
    // On a port for both it is asked about when its ClientHello has shown what it is.
    const onClient = (socket: Socket): void =>
      void (admitsClient(addressesOf(socket).remote.address) ? acceptClient(socket) : socket.resetAndDestroy());
    const deps = { ...visitors, challengesOnly: !who.visitors, onClient: who.clients ? onClient : undefined };
    const isForClients = who.clients && !who.visitors && !who.challenges;
    const takes: Taking = isForClients
      ? { isWanted: admitsClient, onConnection: acceptClient }
      : { isWanted: (from) => admitsVisitor(from, deps), onConnection: (socket) => serveVisitor(socket, deps) };
    const { clock, log } = visitors;
    const balancers = balancersOf(config, isForClients);
    const taken = balancers.length > 0 ? behindBalancers(takes, { balancers, clock, log }) : takes;
    this.#listeners.set(plan, await listenTcp({ address, port, flag, ...taken }));
  }
}

/** Whose connections begin with a PROXY header. On a port that only clients use no balancer is expected unless it is said to be forwarded. */
export function balancersOf(
  { proxyProtocolFrom, advertisedPorts }: Pick<RelayConfig, "proxyProtocolFrom" | "advertisedPorts">,
  isForClients: boolean,
): readonly string[] {
  return isForClients && advertisedPorts.api === undefined ? [] : proxyProtocolFrom;
}
