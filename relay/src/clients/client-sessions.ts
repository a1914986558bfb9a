import { join } from "node:path";
import { filePermits, type PermitOffice } from "../certificates/issuance-quotas.ts";
import { PortholeError } from "@porthole/common/errors";
import type { Carrier } from "@porthole/common/link";
import { sleep } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { Admission, type Authorize } from "../admission/index.ts";
import { refuse, serveAgent, type AgentDeps } from "./client-session.ts";
import type { RelayConfig } from "../config/config.ts";
import type { AgentGate, Applicant } from "../limits/index.ts";
import type { AgentLink, Registry } from "./registry.ts";

export interface AgentsDeps extends Pick<AgentDeps, "clock" | "log" | "metrics" | "ticket" | "refusal" | "signal"> {
  readonly config: Pick<RelayConfig, "admission" | "permits" | "suffixes" | "stateDir">;
  readonly registry: Registry;
  readonly gate: AgentGate;
  readonly authorize?: Authorize | undefined;
  readonly publicPort: () => number;
}

const offersAtOnce = 20;
const offerPauseMs = 100;

/** All agents: how they come in, what they are told together, and who has to go. Whoever opens closes. */
export class Agents {
  readonly #deps: AgentsDeps;
  readonly #served = new Set<Promise<void>>();
  readonly #permits: PermitOffice;
  readonly #admission: Admission;
  /** Made with the first one: the public port is open then. */
  #forEach: AgentDeps | undefined;

  private constructor(deps: AgentsDeps, admission: Admission) {
    this.#deps = deps;
    const { stateDir, permits } = deps.config;
    this.#permits = filePermits(join(stateDir, "permits.json"), deps.clock, permits);
    this.#admission = admission;
  }

  /** Rejects with `state` or `usage` when a file is damaged. */
  static async open(deps: AgentsDeps): Promise<Agents> {
    const { clock, log, authorize, config, registry } = deps;
    const admission = await Admission.open(
      config.admission,
      { clock, log, authorize },
      {
        onChange: () => void dismiss(registry, (agent) => agent.objection()),
        onRefusal: (fingerprint, refusal) =>
          void dismiss(registry, (agent) =>
            agent.isJudged && agent.fingerprint === fingerprint ? refusal : undefined,
          ),
      },
    );
    if (admission.isEmpty) log.warn({}, "Nobody may connect yet. Make an invite: porthole-relay invite");
    return new Agents(deps, admission);
  }

  /** Takes the carrier over, and the applicant, if it has been counted before. */
  serve(carrier: Carrier, entered?: Applicant): void {
    const { gate } = this.#deps;
    const { address } = carrier.remote;
    if (!entered && !gate.admits(address)) {
      carrier.destroy(new PortholeError("busy", "Too many agents at once, or too many that could not be admitted"));
      return;
    }
    const served = serveAgent(carrier, entered ?? gate.enter(address), (this.#forEach ??= this.#depsOfEach())).finally(
      () => this.#served.delete(served),
    );
    this.#served.add(served);
  }

  #depsOfEach(): AgentDeps {
    const { config, publicPort } = this.#deps;
    return {
      ...this.#deps,
      permits: this.#permits,
      admission: this.#admission,
      suffixes: config.suffixes,
      publicPort: publicPort(),
      software: `porthole-relay/${version}`,
    };
  }

  /** Whoever goes on over HTTP/2 may come back to QUIC: not all in the same moment, because a handshake costs a millisecond. */
  async offerQuic(): Promise<void> {
    const { registry, ticket: ticketFor, clock, signal } = this.#deps;
    const agents = registry.all().filter(({ link }) => link.kind === "http2");
    try {
      for (const [index, { link, fingerprint }] of agents.entries()) {
        const ticket = ticketFor({ fingerprint, address: link.remote.address }, false);
        if (!ticket) return;
        link.control.send({ type: "ticket", ticket });
        if (index % offersAtOnce === offersAtOnce - 1) await sleep(clock, offerPauseMs, signal);
      }
    } catch {
      // The relay stops.
    }
  }

  /** They go on serving who is there, and dial elsewhere. */
  announceEnd(deadlineMs: number): void {
    for (const { link } of this.#deps.registry.all())
      link.control.send({ type: "drain", reason: "it is being stopped", deadlineMs });
  }

  /** Ends all links of a client, by its id or fingerprint, and answers how many. */
  disconnect(key: string): number {
    const reason = new PortholeError("closed", "whoever runs the relay ended this connection");
    return dismiss(this.#deps.registry, ({ clientId, fingerprint }) =>
      clientId === key || fingerprint === key ? reason : undefined,
    );
  }

  /** Rereads the list of who may connect. */
  reread(): Promise<void> {
    return this.#admission.reread();
  }

  /** Resolves when the last one has left; the signal has to have aborted. */
  async ended(): Promise<void> {
    await Promise.all(this.#served);
  }

  async close(): Promise<void> {
    await this.#admission.close();
  }
}

/** Ends the links of those who have to go, who learn why. Answers how many. */
function dismiss(registry: Registry, objectionTo: (agent: AgentLink) => PortholeError | undefined): number {
  let dismissed = 0;
  for (const agent of registry.all()) {
    const objection = objectionTo(agent);
    if (!objection) continue;
    dismissed += 1;
    registry.remove(agent);
    void refuse(agent.link, objection);
  }
  return dismissed;
}
