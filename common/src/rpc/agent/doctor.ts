import { examine } from "../../doctor/index.ts";
import type { JoinedRelays } from "../../invite/index.ts";
import type { Logger } from "../../log.ts";
import { readKey, type Dialers, type KeySource, type KnownRelays } from "../../tunnel/index.ts";
import type { Clock } from "../../util/index.ts";
import type { Requests } from "../contract.ts";
import type { Handlers } from "../server.ts";
import type { Subject } from "./running-tunnel.ts";
import { endpointTunnel, keySource } from "./tunnel-settings.ts";
import type { Tunnels } from "./tunnels.ts";

export interface DoctorContext {
  readonly tunnels: Tunnels;
  readonly stateDir: string;
  readonly joined: JoinedRelays;
  readonly member: KeySource | undefined;
  readonly dialers: Dialers;
  readonly software: string;
  readonly knownRelays: KnownRelays;
  readonly clock: Clock;
  readonly log: Logger;
  onTokenUsed(server: { readonly host: string; readonly port: number }): void;
}

export function doctorHandler(context: DoctorContext): Handlers["doctor"] {
  return async (params, { signal }) => ({ checks: await examine({ ...context, ...(await subject(params)) }, signal) });

  async function subject({ role = "primary", ...params }: Requests["doctor"][0]): Promise<Subject> {
    if ("tunnel" in params) return context.tunnels.subject(params.tunnel, role);
    const { spec } = params;
    const settings = endpointTunnel(spec, role, context);
    const identity = spec[role]?.identity;
    if (identity) context.tunnels.assertFree((await readKey(keySource(identity, role), context.log)).clientId);
    return { settings };
  }
}
