import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileQuotas, type IssuanceQuotas } from "../certificates/issuance-quotas.ts";
import { PortholeError } from "@porthole/common/errors";
import type { TransportConnection } from "@porthole/common/link";
import { sleep } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import type { Usage } from "../accounting/index.ts";
import { Admission, type Authorize, type Enrollments, type Ledger } from "../admission/index.ts";
import { serveClient, type ClientSessionDeps } from "./client-session.ts";
import type { RelayConfig } from "../config/config.ts";
import type { ClientGate, PendingClient } from "../limits/index.ts";
import { linksOf, type ClientLink, type Registry } from "./registry.ts";

export interface ClientSessionsDeps extends Pick<
  ClientSessionDeps,
  "clock" | "log" | "metrics" | "record" | "ticket" | "refusal" | "signal"
> {
  readonly config: Pick<RelayConfig, "admission" | "quotas" | "suffixes" | "stateDir" | "certificateDirectory">;
  readonly registry: Registry;
  readonly gate: ClientGate;
  readonly usage: Usage;
  readonly authorize?: Authorize | undefined;
  /** The relay's own, in a file, if undefined. */
  readonly quotas?: IssuanceQuotas | undefined;
  /** See AdmissionContext. */
  readonly ledger?: Ledger<Enrollments> | undefined;
  /** See Welcome; by chance if undefined. */
  readonly instance?: string | undefined;
  readonly publicPort: () => number;
}

const offersAtOnce = 20;
const offerPauseMs = 100;

/** All clients: how they come in, what they are told together, and who has to go. The caller closes it. */
export class ClientSessions {
  readonly #deps: ClientSessionsDeps;
  readonly #served = new Set<Promise<void>>();
  readonly #quotas: IssuanceQuotas;
  readonly #admission: Admission;
  /** Made with the first one: the public port is open then. */
  #forEach: ClientSessionDeps | undefined;

  private constructor(deps: ClientSessionsDeps, admission: Admission) {
    this.#deps = deps;
    const { stateDir, quotas } = deps.config;
    this.#quotas = deps.quotas ?? fileQuotas(join(stateDir, "issuance-quotas.json"), deps.clock, quotas);
    this.#admission = admission;
  }

  /** Rejects with `state` or `usage` when a file is damaged. */
  static async open(deps: ClientSessionsDeps): Promise<ClientSessions> {
    const { clock, log, authorize, ledger, config, registry, record } = deps;
    const admission = await Admission.open(
      config.admission,
      { clock, log, authorize, ledger },
      {
        onChange: () => {
          deps.gate.forgetRefusals();
          dismiss(registry, (client) => client.revocationReason());
        },
        onRefusal: (fingerprint, refusal) =>
          void dismiss(registry, (client) =>
            client.isExternallyAuthorized && client.fingerprint === fingerprint ? refusal : undefined,
          ),
        onJoin: (client, label, address) =>
          record({ type: "joined", client, ...(label === undefined ? {} : { label }), address }),
        onBan: (what, until) =>
          record({ type: "banned", what, ...(until === undefined ? {} : { until: new Date(until).toISOString() }) }),
      },
    );
    if (admission.isEmpty) log.warn({}, "Nobody may connect yet. Make an invite: porthole-relay invite");
    return new ClientSessions(deps, admission);
  }

  /** Takes the transport over, and the pendingClient, if it has been counted before. */
  serve(transport: TransportConnection, entered?: PendingClient): void {
    const { gate } = this.#deps;
    const { address } = transport.remote;
    if (!entered && !gate.admits(address)) {
      transport.destroy(new PortholeError("busy", "Too many clients at once, or too many that could not be admitted"));
      return;
    }
    const served = serveClient(
      transport,
      entered ?? gate.enter(address),
      (this.#forEach ??= this.#depsOfEach()),
    ).finally(() => this.#served.delete(served));
    this.#served.add(served);
  }

  #depsOfEach(): ClientSessionDeps {
    const { config, publicPort } = this.#deps;
    return {
      ...this.#deps,
      quotas: this.#quotas,
      admission: this.#admission,
      suffixes: config.suffixes,
      certificateDirectory: config.certificateDirectory,
      instance: this.#deps.instance ?? randomUUID(),
      publicPort: publicPort(),
      software: `porthole-relay/${version}`,
    };
  }

  /** Clients that continue over HTTP/2 may come back to QUIC: not all in the same moment, because a handshake costs a millisecond. */
  async offerQuic(): Promise<void> {
    const { registry, ticket: ticketFor, clock, signal } = this.#deps;
    const http2 = registry.all().filter(({ link }) => link.kind === "http2");
    const holders = new Map(http2.map(({ link, linkFingerprint }) => [link, linkFingerprint]));
    try {
      for (const [index, [link, fingerprint]] of [...holders].entries()) {
        const ticket = ticketFor({ fingerprint, address: link.remote.address }, false);
        if (!ticket) return;
        link.control.send({ type: "ticket", ticket });
        if (index % offersAtOnce === offersAtOnce - 1) await sleep(clock, offerPauseMs, signal);
      }
    } catch {
      // The relay stops.
    }
  }

  /** They keep serving who is there, and dial elsewhere. */
  announceEnd(deadlineMs: number): void {
    for (const link of linksOf(this.#deps.registry.all()))
      link.control.send({ type: "drain", reason: "it is being stopped", deadlineMs });
  }

  /** Ends all links of a client, by its id or fingerprint, and returns how many. */
  disconnect(key: string): number {
    const reason = new PortholeError("closed", "the relay's operator ended this connection");
    return dismiss(this.#deps.registry, ({ clientId, fingerprint }) =>
      clientId === key || fingerprint === key ? reason : undefined,
    );
  }

  /** Ends all links of this owner's clients. They are told why. */
  dismissOwner(owner: string, reason: PortholeError): void {
    dismiss(this.#deps.registry, (client) => (client.owner === owner ? reason : undefined));
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

/** Ends what is exposed by the clients that have to go, and tells them why. Returns how many there were. */
function dismiss(registry: Registry, revocationReasonOf: (client: ClientLink) => PortholeError | undefined): number {
  let dismissed = 0;
  for (const client of registry.all()) {
    const revocationReason = revocationReasonOf(client);
    if (!revocationReason) continue;
    dismissed += 1;
    registry.remove(client);
    client.dismiss(revocationReason);
  }
  return dismissed;
}
