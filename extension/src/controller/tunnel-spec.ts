import type { AccessSpec, RelaySpec, TunnelSpec } from "@porthole/tunnel/rpc";
import { localOf } from "../ports/index.ts";
import type { Exposure } from "./exposure.ts";
import type { Keys } from "./keys.ts";
import type { Settings } from "./host.ts";

/** An exposure in the daemon's words. */
export async function tunnelSpec(
  { id, target, secondary }: Exposure,
  context: {
    readonly keys: Keys;
    readonly settings: Settings;
    readonly relays: readonly RelaySpec[];
    readonly isTrial: boolean;
  },
): Promise<TunnelSpec> {
  const { keys, settings, relays, isTrial } = context;
  const access = await keys.access(id);
  return {
    id,
    relays,
    primary: { identity: { pem: await keys.identity(id) }, local: localOf(target) },
    ...(secondary ? { secondary: { identity: { pem: await keys.secondary(id) }, local: secondary.local } } : {}),
    transport: settings.get("porthole.transport"),
    // No authority certifies the names of a trial relay.
    acme: isTrial ? { enabled: false } : acmeOf(settings),
    ...(access && !isOpen(access) ? { access } : {}),
    ...(settings.get("porthole.inspect") ? { inspect: {} } : {}),
  };
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
