import { examine } from "../../doctor/index.ts";
import type { JoinedRelays } from "@porthole/common/invite";
import type { Logger } from "@porthole/common/log";
import { readKey, type Dialers, type KeySource, type KnownRelays } from "../../tunnel/index.ts";
import type { Clock } from "@porthole/common/util";
import type { DoctorReport, Requests } from "../contract/index.ts";
import type { Handlers } from "../server.ts";
import { VisitorPolicy } from "./visitor-policy.ts";
import { identitiesOf, provideKeys, type ExternalKeys } from "./external-keys.ts";
import { endpointTunnel, keySource } from "./tunnel-settings.ts";
import type { Tunnels } from "./tunnels.ts";

export interface DoctorContext {
  readonly tunnels: Tunnels;
  readonly stateDir: string;
  readonly joined: JoinedRelays;
  readonly owner: KeySource | undefined;
  readonly dialers: Dialers;
  readonly software: string;
  readonly knownRelays: KnownRelays;
  readonly clock: Clock;
  readonly log: Logger;
  readonly externalKeys: ExternalKeys;
  onTokenUsed(server: { readonly host: string; readonly port: number }): void;
}

export function doctorHandler(context: DoctorContext): Handlers["doctor"] {
  return async (params, { signal, holder }) => {
    if ("spec" in params) {
      provideKeys(context.externalKeys, identitiesOf(params.spec), holder);
      return examinePlanned(params, context, signal);
    }
    const subject = context.tunnels.subject(params.tunnel, params.role ?? "primary");
    return { checks: await examine({ ...context, ...subject }, signal) };
  };
}

/** It is exposed for as long as it is looked at, so its access rules hold then, too. */
async function examinePlanned(
  { spec, role = "primary" }: Extract<Requests["doctor"][0], { readonly spec: unknown }>,
  context: DoctorContext,
  signal: AbortSignal,
): Promise<DoctorReport> {
  const { tunnels, stateDir, clock, log } = context;
  const settings = endpointTunnel(spec, role, context);
  const identity = spec[role]?.identity;
  const clientId = identity ? (await readKey(keySource(identity, role, context.externalKeys), log)).clientId : "";
  if (identity) tunnels.assertFree(clientId);
  const policy = new VisitorPolicy({ id: spec.id, stateDir, clock, log, onInspect: () => {} });
  try {
    const useRules = await policy.prepare(spec.access ? { access: spec.access } : {}, clientId);
    await useRules();
    const endpoints = settings.endpoints.map((endpoint) => ({
      ...endpoint,
      gateway: { ...endpoint.gateway, ...policy.options },
    }));
    return { checks: await examine({ ...context, settings: { ...settings, endpoints } }, signal) };
  } finally {
    await policy.close();
  }
}
