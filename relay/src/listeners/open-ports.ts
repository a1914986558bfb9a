import { join } from "node:path";
import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import type { ClientAcceptor } from "../clients/client-acceptor.ts";
import type { RelayConfig } from "../config/config.ts";
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
  async openQuic(): Promise<void> {
    const { config, acceptor } = this.#deps;
    const clients = this.#plans.find((plan) => plan.clients);
    if (!clients) return;
    for (let choice = 1; ; choice++) {
      try {
        await acceptor.openQuic({
          address: config.bindAddress,
          port: this.api,
          admission: config.quicAdmission,
          memoryCapBytes: config.quicMemoryBytes,
          ticketKeysPath: join(config.stateDir, "quic-ticket-keys.json"),
        });
        return;
      } catch (cause) {
        const { code, message } = PortholeError.from(cause);
        if (code !== "address") throw cause;
        if (clients.port !== 0 || choice === maxChoices)
          throw new PortholeError("address", message, {
            cause,
            hint: "QUIC needs the number of the clients' TCP port over UDP: stop the program that has it, or choose another one with --api-port.",
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
    const { flag, port, ...who } = plan;
    const admitsClient = (address: string | undefined): boolean => acceptor.admits(address);
    const acceptClient = (socket: Socket): void => acceptor.accept(socket);
    // On a port for both it is asked about when its ClientHello has shown what it is.
    const onClient = (socket: Socket): void =>
      void (admitsClient(socket.remoteAddress) ? acceptClient(socket) : socket.resetAndDestroy());
    const deps = { ...visitors, challengesOnly: !who.visitors, onClient: who.clients ? onClient : undefined };
    const isForClients = who.clients && !who.visitors && !who.challenges;
    const listener = await listenTcp({
      ...{ address: config.bindAddress, port, flag },
      ...(isForClients
        ? { isWanted: admitsClient, onConnection: acceptClient }
        : {
            isWanted: (address) => admitsVisitor(address, deps),
            onConnection: (socket) => serveVisitor(socket, deps),
          }),
    });
    this.#listeners.set(plan, listener);
  }
}
