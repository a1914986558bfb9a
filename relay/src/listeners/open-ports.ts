import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import type { AgentDoor } from "../clients/client-acceptor.ts";
import type { RelayConfig } from "../config/config.ts";
import { planPorts, type PortPlan } from "./port-plan.ts";
import { listenTcp, type TcpListener } from "./tcp-listener.ts";
import { admitsVisitor, serveVisitor, type VisitorDeps } from "../visitors/visitor.ts";

/** Ports that the system chooses for agents before one is free for QUIC, too. */
const maxChoices = 10;

export interface OpenPortsDeps {
  readonly config: RelayConfig;
  readonly door: AgentDoor;
  readonly visitors: Omit<VisitorDeps, "challengesOnly" | "onAgent">;
}

/** The ports by which agents, visitors and validators come in. Whoever opens closes, also after a failure. */
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
    return this.#portOf("agents") ?? 0;
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

  /** On the UDP port with the number of the agents' TCP port. Where the system chose that number and it is taken, it chooses again. */
  async openQuic(): Promise<void> {
    const { config, door } = this.#deps;
    const agents = this.#plans.find((plan) => plan.agents);
    if (!agents) return;
    for (let choice = 1; ; choice++) {
      try {
        await door.openQuic({
          address: config.bindAddress,
          port: this.api,
          admission: config.quicAdmission,
          memoryCapBytes: config.quicMemoryBytes,
        });
        return;
      } catch (cause) {
        const { code, message } = PortholeError.from(cause);
        if (code !== "address") throw cause;
        if (agents.port !== 0 || choice === maxChoices)
          throw new PortholeError("address", message, {
            cause,
            hint: "QUIC needs the number of the agents' TCP port over UDP: stop the program that has it, or choose another one with --api-port.",
          });
      }
      await this.#listeners.get(agents)?.close();
      await this.#open(agents);
    }
  }

  /** Takes nobody new. */
  stop(): void {
    for (const listener of this.#listeners.values()) listener.stop();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
  }

  #portOf(who: "agents" | "visitors" | "challenges"): number | undefined {
    const plan = this.#plans.find((each) => each[who]);
    return plan && this.#listeners.get(plan)?.port;
  }

  async #open(plan: PortPlan): Promise<void> {
    const { config, door, visitors } = this.#deps;
    const { flag, port, ...who } = plan;
    const admitsAgent = (address: string | undefined): boolean => door.admits(address);
    const acceptAgent = (socket: Socket): void => door.accept(socket);
    // On a port for both it is asked about when its ClientHello has shown what it is.
    const onAgent = (socket: Socket): void =>
      void (admitsAgent(socket.remoteAddress) ? acceptAgent(socket) : socket.resetAndDestroy());
    const deps = { ...visitors, challengesOnly: !who.visitors, onAgent: who.agents ? onAgent : undefined };
    const isForAgents = who.agents && !who.visitors && !who.challenges;
    const listener = await listenTcp({
      ...{ address: config.bindAddress, port, flag },
      ...(isForAgents
        ? { isWanted: admitsAgent, onConnection: acceptAgent }
        : {
            isWanted: (address) => admitsVisitor(address, deps),
            onConnection: (socket) => serveVisitor(socket, deps),
          }),
    });
    this.#listeners.set(plan, listener);
  }
}
