import type { AcmeNetwork } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import type { InspectorChanges } from "../../inspector/index.ts";
import type { RequestReport } from "../../http/index.ts";
import type { JoinedRelays } from "@porthole/common/invite";
import type { Logger } from "@porthole/common/log";
import {
  prepareTunnel,
  type Dialers,
  type KeySource,
  type KnownRelays,
  type LinkPool,
  type EndpointState,
  type PreparedTunnel,
  type TunnelSettings,
  type VisitReport,
} from "../../tunnel/index.ts";
import type { Clock } from "@porthole/common/util";
import type {
  EndpointChanges,
  EndpointSpec,
  TunnelChanges,
  TunnelInfo,
  TunnelSpec,
  TunnelStateView,
} from "../contract/index.ts";
import { rpcErrorData } from "../errors.ts";
import { VisitorPolicy } from "./visitor-policy.ts";
import type { ExternalKeys } from "./external-keys.ts";
import { EndpointRunner } from "./endpoint-runner.ts";
import { endpointService, endpointTunnel, gatewayOptions } from "./tunnel-settings.ts";

export interface TunnelContext {
  /** See RuntimeOptions. */
  readonly drains?: boolean | undefined;
  readonly stateDir: string;
  readonly dialers: Dialers;
  readonly software: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly knownRelays: KnownRelays;
  readonly sharedLinks: LinkPool;
  readonly owner: KeySource | undefined;
  readonly externalKeys: ExternalKeys;
  readonly acmeNetwork?: AcmeNetwork | undefined;
  readonly joined: JoinedRelays;
  /** Throws `usage` when another tunnel exposes this identity. */
  assertFree(clientId: string): void;
  readonly onState: (state: TunnelStateView) => void;
  readonly onVisit: (report: VisitReport) => void;
  readonly onRequest: (report: RequestReport) => void;
  readonly onInspect: (changes: InspectorChanges) => void;
}

/** An endpoint, and its state where it runs. */
export interface Subject {
  readonly settings: TunnelSettings;
  readonly running?: () => EndpointState | undefined;
}

const roles = ["primary", "secondary"] as const;
type Role = (typeof roles)[number];

/** What the caller has started under one id, whatever has become of it since. */
export class RunningTunnel {
  readonly #context: TunnelContext;
  readonly #runners = new Map<Role, EndpointRunner>();
  readonly #policy: VisitorPolicy;
  #spec: TunnelSpec;
  #isStopped = false;

  private constructor(spec: TunnelSpec, context: TunnelContext) {
    this.#spec = spec;
    this.#context = context;
    this.#policy = new VisitorPolicy({ ...context, id: spec.id });
  }

  /** Throws `usage`, `state` or `key`, and nothing is left then. What the relays say comes with the state. */
  static async start(spec: TunnelSpec, context: TunnelContext): Promise<RunningTunnel> {
    const tunnel = new RunningTunnel(spec, context);
    for (const open of await tunnel.#prepare(spec)) await open();
    return tunnel;
  }

  get info(): TunnelInfo {
    return { id: this.#spec.id, state: this.state() };
  }

  /** Every relay has refused, or it was stopped: nothing runs any more. */
  get isOver(): boolean {
    return [...this.#runners.values()].every((runner) => runner.isOver);
  }

  /** What a doctor looks at. */
  subject(role: Role): Subject {
    const runner = this.#runners.get(role);
    if (!runner)
      throw new PortholeError("usage", `The tunnel ${JSON.stringify(this.#spec.id)} has no ${role} endpoint`);
    return { settings: endpointTunnel(this.#spec, role, this.#context), running: () => runner.state };
  }

  /** Undefined for a tunnel that needs none, and for one that is over. */
  get lease(): TunnelSpec["lease"] {
    return this.isOver ? undefined : this.#spec.lease;
  }

  get policy(): VisitorPolicy {
    return this.#policy;
  }

  exposes(clientId: string): boolean {
    return [...this.#runners.values()].some((runner) => !runner.isOver && runner.endpoint.key.clientId === clientId);
  }

  state(): TunnelStateView {
    const runners = roles.flatMap((role) => this.#runners.get(role) ?? []);
    const endpoints = runners.flatMap((runner) => runner.view() ?? []);
    if (!this.isOver) return { endpoints };
    const error = this.#isStopped ? undefined : runners.find((runner) => runner.error)?.error;
    return { endpoints, ended: error ? { error: rpcErrorData(error) } : {} };
  }

  /**
   * How visitors are treated changes in place. Other changes restart the endpoint that they concern, and only once it is
   * clear that they can: what they would break is an error, and all stays as it was.
   */
  async update(changes: TunnelChanges): Promise<void> {
    const next = applyChanges(this.#spec, changes);
    const opens = await this.#prepare(next);
    this.#spec = next;
    const gone = this.#runners.get("secondary");
    if (gone && !next.secondary) await this.#close("secondary", gone);
    for (const open of opens) await open();
    this.#publish();
  }

  /** Resolves when nothing of it is left, but what it `keeps` for its next start. */
  async stop({ keeps = false } = {}): Promise<void> {
    this.#isStopped = true;
    await Promise.all(
      [...this.#runners.values()].map((runner) => runner.stop(this.#context.drains ? "draining" : "aborted")),
    );
    if (keeps) await this.#policy.keep();
    await this.#policy.close();
    this.#publish();
  }

  /** Everything that can fail; the answers do the rest. */
  async #prepare(next: TunnelSpec): Promise<Open[]> {
    const { stateDir, clock, log, knownRelays, joined, owner, externalKeys, acmeNetwork } = this.#context;
    const opens: Open[] = [];
    const clientIds: string[] = [];
    for (const role of roles) {
      const endpoint = next[role];
      if (!endpoint) continue;
      const settings = endpointTunnel(next, role, { stateDir, joined, owner, externalKeys });
      const present = this.#runners.get(role);
      if (present && !present.isOver && fixedPart(next, role) === fixedPart(this.#spec, role)) {
        clientIds.push(present.endpoint.key.clientId);
        opens.push(async () =>
          present.adjust(endpointService(endpoint, role, next), {
            ...gatewayOptions(next, role),
            ...this.#policy.options,
          }),
        );
        continue;
      }
      const prepared = await prepareTunnel(settings, { clock, log, knownRelays, acmeNetwork });
      clientIds.push(...prepared.endpoints.map(({ key }) => key.clientId));
      opens.push(async () => {
        if (present) await this.#close(role, present);
        for (const { gateway } of prepared.endpoints) gateway.update(this.#policy.options);
        this.#open(role, prepared);
      });
    }
    this.#checkIdentities(clientIds);
    // Last: nothing may fail once it is open.
    const useRules = await this.#policy.prepare(next, clientIds[0] ?? "");
    return [useRules, ...opens];
  }

  /** The relay would take two that have the same key for one. */
  #checkIdentities(clientIds: readonly string[]): void {
    if (new Set(clientIds).size < clientIds.length)
      throw new PortholeError("usage", "The primary and the secondary endpoint have the same identity", {
        hint: "Give the secondary one another.",
      });
    for (const clientId of clientIds) this.#context.assertFree(clientId);
  }

  #open(role: Role, prepared: PreparedTunnel): void {
    const { dialers, sharedLinks, software, clock, log, joined, onVisit, onRequest } = this.#context;
    const runner: EndpointRunner = new EndpointRunner({
      prepared,
      dialers,
      sharedLinks,
      software,
      clock,
      log,
      joined,
      onVisit,
      onRequest,
      // One that has been replaced has nothing to say any more.
      onChange: () => {
        if (this.#runners.get(role) === runner) this.#publish();
      },
    });
    this.#runners.set(role, runner);
  }

  async #close(role: Role, runner: EndpointRunner): Promise<void> {
    this.#runners.delete(role);
    // Another takes its place, and serves the name only once this one is gone.
    await runner.stop("aborted");
  }

  #publish(): void {
    this.#context.onState(this.state());
  }
}

type Open = () => Promise<void>;

/** What can't change while an endpoint is exposed. */
function fixedPart(spec: TunnelSpec, role: Role): string {
  const { relays, suffix, transport, poolSize } = spec;
  const { name, acme } = role === "primary" ? spec : {};
  const { identity, extensionHex, certificatePath } = spec[role] ?? {};
  return JSON.stringify([relays, suffix, transport, poolSize, name, acme, identity, extensionHex, certificatePath]);
}

function applyChanges(spec: TunnelSpec, { primary, secondary, ...changes }: TunnelChanges): TunnelSpec {
  const endpoints = {
    primary: { ...spec.primary, ...primary },
    secondary: secondary === null ? null : applyToSecondary(spec.secondary, secondary),
  };
  const kept = Object.entries({ ...spec, ...changes, ...endpoints }).filter(([, value]) => value !== null);
  return Object.fromEntries(kept) as unknown as TunnelSpec;
}

/** `null` when there is none, before and after. */
function applyToSecondary(present: EndpointSpec | undefined, part: EndpointChanges | undefined): EndpointSpec | null {
  if (!part) return present ?? null;
  const { identity, local, ...others } = { ...present, ...part };
  if (!identity || local === undefined)
    throw new PortholeError("usage", `A secondary endpoint needs ${identity ? "a local service" : "an identity"}`, {
      hint: identity ? "Give secondary.local." : "Give secondary.identity.",
    });
  return { identity, local, ...others };
}
