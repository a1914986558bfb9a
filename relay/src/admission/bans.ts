import { PortholeError } from "@porthole/common/errors";
import type { Owner } from "@porthole/common/identity";
import { canonicalHostName, friendlyName } from "@porthole/common/protocol";
import { formatMinute } from "@porthole/common/util";
import { networkTest, parseNetwork } from "../config/networks.ts";
import { parseKey } from "./authorized-keys.ts";
import type { BanRecord, Enrollments } from "./enrollments.ts";

const maxBans = 1_000;

/** The parts of a client that a ban can name. */
export interface Banned {
  readonly keys: readonly Owner[];
  readonly address: string;
  /** The public name, whole. */
  readonly hostname: string;
}

/** A client id or fingerprint, an address or network, or a name, in our form. Throws `usage`. */
export function parseBan(text: string): { readonly kind: BanRecord["kind"]; readonly what: string } {
  try {
    return { kind: "key", what: parseKey(text) };
  } catch {
    const what = parseNetwork(text);
    if (what !== undefined) return { kind: "network", what };
    const name = friendlyName(text) ?? canonicalHostName(text);
    if (name !== undefined) return { kind: "name", what: name };
    throw new PortholeError("usage", `${JSON.stringify(text.slice(0, 100))} is no key, no address and no name`, {
      hint: "Give a client id or fingerprint, an address or network (203.0.113.7, 2001:db8::/32), or a name (app, app.tunnel.example.com).",
    });
  }
}

/** Throws `usage` or `limit`. */
export function addBan(enrollments: Enrollments, text: string, now: number, until: number | undefined): Enrollments {
  const { kind, what } = parseBan(text);
  if (!Object.hasOwn(enrollments.bans, what) && Object.keys(enrollments.bans).length >= maxBans)
    throw new PortholeError("limit", `There are ${maxBans} bans already`, {
      hint: "Lift some: porthole-relay ban lift NAME.",
    });
  return { ...enrollments, bans: { ...enrollments.bans, [what]: { kind, bannedAt: now, until } } };
}

/** Throws `usage`. */
export function liftBan(enrollments: Enrollments, text: string): Enrollments {
  const { what } = parseBan(text);
  if (!Object.hasOwn(enrollments.bans, what))
    throw new PortholeError("usage", `${what} is not banned`, { hint: "porthole-relay ban list shows who is." });
  const { [what]: _gone, ...bans } = enrollments.bans;
  return { ...enrollments, bans };
}

/** Why this client may not be here; undefined when no ban concerns it. */
export function banReason(enrollments: Enrollments, client: Banned, now: number): PortholeError | undefined {
  for (const [what, { kind, until }] of Object.entries(enrollments.bans)) {
    if ((until !== undefined && until <= now) || !concerns(kind, what, client)) continue;
    const end = until === undefined ? "" : ` until ${formatMinute(until)}`;
    return new PortholeError("unauthorized", `this ${shownKinds[kind]} is banned from this relay${end}`, {
      hint: "Ask the relay's operator.",
    });
  }
  return undefined;
}

const shownKinds: Readonly<Record<BanRecord["kind"], string>> = { key: "key", network: "network", name: "name" };

function concerns(kind: BanRecord["kind"], what: string, { keys, address, hostname }: Banned): boolean {
  switch (kind) {
    case "key":
      return keys.some(({ clientId, fingerprint }) => clientId === what || fingerprint === what);
    case "name":
      return hostname === what || hostname.split(".")[0] === what;
    case "network":
      return networkTest([what])(address);
  }
}
