import type { AccessSpec, DaemonConnection, RelaySpec, TunnelSpec } from "@porthole/tunnel/rpc";
import { PortholeError } from "@porthole/common/errors";
import { localOf } from "../ports/index.ts";
import { t } from "../text.ts";
import type { Exposure } from "./exposure.ts";
import type { ExposureList } from "./exposure-list.ts";
import type { KeptRequests } from "./kept-requests.ts";
import type { Keys } from "./keys.ts";
import type { Settings } from "./host.ts";
import type { Leases } from "./leases.ts";
import type { Project } from "./project.ts";
import type { Relays } from "./relays.ts";
import { throwClaimError, type Sharing } from "./sharing.ts";

export interface StartDeps {
  readonly keys: Keys;
  readonly settings: Settings;
  readonly list: ExposureList;
  readonly relays: Relays;
  readonly project: Project;
  readonly leases: Leases;
  readonly sharing: Sharing;
  readonly keptRequests: KeptRequests;
}

/** Returns what the daemon starts the tunnel with, once no other window serves it. Throws `usage` without a relay. */
export async function prepareStart(deps: StartDeps, id: string, connection: DaemonConnection): Promise<TunnelSpec> {
  const { keys, list, leases, sharing } = deps;
  const relays = await deps.relays.forTunnels(connection);
  if (relays.length === 0)
    throw new PortholeError("usage", t("No relay is configured"), { hint: t("Join a relay, or add one.") });
  const exposure = list.known(id);
  const onLost = (): void => void sharing.onLost(id).catch(() => {});
  const seal = await keys.seal(id);
  await sharing.left(id);
  // Nobody would release the lease of a port that was stopped in between.
  const lease =
    list.find(id)?.phase === "on"
      ? await leases.hold({ id, target: exposure.target, seal }, onLost).catch(throwClaimError)
      : undefined;
  return { ...(await tunnelSpec(deps, exposure, relays)), ...(lease ? { lease } : {}) };
}

/** An exposure in the daemon's words. */
async function tunnelSpec(
  { keys, settings, relays: { isTrial }, project, keptRequests }: StartDeps,
  { id, target, secondary, friendlyName }: Exposure,
  relays: readonly RelaySpec[],
): Promise<TunnelSpec> {
  const access = project.access(id, (await keys.access(id)) ?? {});
  const spec = project.apply(id, {
    id,
    relays,
    primary: { identity: { pem: await keys.identity(id) }, local: localOf(target) },
    ...(secondary ? { secondary: { identity: { pem: await keys.secondary(id) }, local: secondary.local } } : {}),
    transport: settings.get("porthole.transport"),
    // No authority certifies the names of a trial relay.
    acme: isTrial ? { enabled: false } : acmeOf(settings),
    ...(isOpen(access) ? {} : { access }),
    ...(settings.get("porthole.inspect") ? { inspect: await keptRequests.inspect(id) } : {}),
  });
  // The user's own wish counts more than the project's.
  return friendlyName === undefined ? spec : { ...spec, name: friendlyName };
}

/** Rules that restrict nothing: the daemon needs none then. */
export function isOpen(access: AccessSpec): boolean {
  return Object.keys(access).length === 0;
}

function acmeOf(settings: Settings): NonNullable<TunnelSpec["acme"]> {
  const kind = settings.get("porthole.certificates");
  const email = settings.get("porthole.certificateEmail");
  const directory = settings.get("porthole.certificateDirectory");
  return {
    enabled: kind !== "self-signed",
    ...(kind === "staging" ? { staging: true } : {}),
    ...(email === "" ? {} : { email }),
    ...(directory === "" || kind === "staging" ? {} : { directory }),
  };
}
