import { PortholeError } from "@porthole/common/errors";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;

/** A bucket that holds `capacity` permits and gets a new one every `refillMs`. */
export interface Bucket {
  readonly capacity: number;
  readonly refillMs: number;
}

export interface PermitLimits {
  /** For names that had no certificate yet. Renewals cost the authority's limit nothing. */
  readonly newNames: Bucket;
  /** For one name, whatever becomes of its certificates. */
  readonly oneName: Bucket;
}

/** Let's Encrypt gives 50 new names a registered domain in a week, and 5 certificates for one name: a little less than both. */
export function permitLimits(newNamesPerWeek = 45): PermitLimits {
  return {
    newNames: { capacity: newNamesPerWeek, refillMs: weekMs / newNamesPerWeek },
    oneName: { capacity: 4, refillMs: weekMs / 4 },
  };
}

/** How many are left, as of a time; whole and broken ones. */
interface Level {
  readonly tokens: number;
  readonly at: number;
}

export interface PermitState {
  readonly newNames: Level | undefined;
  /** What is left for new names of those who had some lately. */
  readonly members: Readonly<Record<string, Level>>;
  /** Names that were given permits, the latest last. */
  readonly names: Readonly<Record<string, Level & { readonly grantedAt: number }>>;
}

export const noPermits: PermitState = { newNames: undefined, members: {}, names: {} };

export type PermitLimit = "newNames" | "oneMember" | "oneName";

export type PermitDecision =
  | { readonly granted: true; readonly state: PermitState }
  | { readonly granted: false; readonly nextAt: number; readonly limit: PermitLimit };

/** The part of the permits for new names that one member may use. */
const memberShare = 1 / 3;

/** Who asks again so soon has not used it yet (the order failed, or the program was restarted). */
const validForMs = hourMs;
/** Let's Encrypt no longer knows a name as old after its certificates are long gone. */
const rememberedMs = 90 * dayMs;
const maxNames = 50_000;

/**
 * Whether a certificate for the name may be ordered now, and if not, when. `member` is who answers for the client that has the name.
 * Pure: the new state counts once it is stored.
 */
export function takePermit(
  state: PermitState,
  name: string,
  member: string,
  now: number,
  limits: PermitLimits,
): PermitDecision {
  const known = Object.hasOwn(state.names, name) ? state.names[name] : undefined;
  if (known && known.grantedAt <= now && now < known.grantedAt + validForMs) return { granted: true, state };
  const one = levelAt(known, limits.oneName, now);
  if (one.tokens < 1) return { granted: false, limit: "oneName", nextAt: nextTokenAt(one, limits.oneName) };
  const all = levelAt(state.newNames, limits.newNames, now);
  if (!known && all.tokens < 1) return { granted: false, limit: "newNames", nextAt: nextTokenAt(all, limits.newNames) };
  const share = shareOf(limits.newNames);
  const own = levelAt(memberLevel(state, member), share, now);
  if (!known && own.tokens < 1) return { granted: false, limit: "oneMember", nextAt: nextTokenAt(own, share) };
  return {
    granted: true,
    state: {
      newNames: known ? all : spend(all),
      members: known ? state.members : { ...notFull(state.members, share, now), [member]: spend(own) },
      names: { ...remembered(state.names, name, now), [name]: { ...spend(one), grantedAt: now } },
    },
  };
}

/** How many new names may still have certificates. */
export interface PermitsLeft {
  readonly all: number;
  /** What one member would get of them. */
  readonly own: number;
}

/** For people. */
export function permitsLeft(state: PermitState, member: string, now: number, { newNames }: PermitLimits): PermitsLeft {
  const all = Math.floor(levelAt(state.newNames, newNames, now).tokens);
  const own = levelAt(memberLevel(state, member), shareOf(newNames), now);
  return { all, own: Math.min(all, Math.floor(own.tokens)) };
}

/** The state as it was stored. Throws on anything else; an empty state would give everything away again. */
export function readPermits(value: unknown): PermitState {
  const { newNames, members = {}, names } = value as Record<string, unknown>;
  if (newNames !== undefined && !isLevel(newNames)) throw new Error("its count of new names is missing");
  if (typeof members !== "object" || members === null || !Object.values(members).every(isLevel))
    throw new Error("the count of a member is missing");
  if (typeof names !== "object" || names === null) throw new Error("its names are missing");
  for (const level of Object.values(names))
    if (!isLevel(level) || typeof (level as { grantedAt?: unknown }).grantedAt !== "number")
      throw new Error("the count of a name is missing");
  return { newNames, members: members as PermitState["members"], names: names as PermitState["names"] };
}

/** What whoever asked is told. */
export function permitRefused(name: string, nextAt: number, now: number, limit: PermitLimit): PortholeError {
  const authority = "The certificate authority's weekly limit for";
  const messages: Readonly<Record<PermitLimit, string>> = {
    newNames: `${authority} new names under this relay's domain is reached`,
    oneMember: "Your share of the new names that this relay may have certificates for in a week is used up",
    oneName: `${authority} certificates for ${name} is reached`,
  };
  return new PortholeError("busy", messages[limit], {
    retryAfterMs: Math.max(0, nextAt - now),
    hint: "A certificate is ordered by itself when the limit allows it; until then visitors see a self-signed one.",
  });
}

function shareOf({ capacity, refillMs }: Bucket): Bucket {
  return { capacity: Math.max(1, Math.floor(capacity * memberShare)), refillMs: refillMs / memberShare };
}

function memberLevel({ members }: PermitState, member: string): Level | undefined {
  return Object.hasOwn(members, member) ? members[member] : undefined;
}

/** Without those who have their whole share again. */
function notFull(members: PermitState["members"], share: Bucket, now: number): PermitState["members"] {
  const kept = Object.entries(members).filter(([, level]) => levelAt(level, share, now).tokens < share.capacity);
  return Object.fromEntries(kept);
}

function levelAt(level: Level | undefined, bucket: Bucket, now: number): Level {
  if (!level) return { tokens: bucket.capacity, at: now };
  // On a clock that was set back nothing is refilled, and nothing is waited for that lies further ahead than a refill.
  const earned = Math.max(0, now - level.at) / bucket.refillMs;
  return { tokens: Math.min(bucket.capacity, level.tokens + earned), at: now };
}

function spend(level: Level): Level {
  return { ...level, tokens: level.tokens - 1 };
}

function nextTokenAt({ tokens, at }: Level, { refillMs }: Bucket): number {
  return Math.ceil(at + (Math.floor(tokens) + 1 - tokens) * refillMs);
}

/** Without the name itself, those of long ago, and what is too much. */
function remembered(names: PermitState["names"], name: string, now: number): PermitState["names"] {
  const kept = Object.entries(names).filter(([each, { grantedAt }]) => each !== name && grantedAt > now - rememberedMs);
  return Object.fromEntries(kept.slice(-(maxNames - 1)));
}

function isLevel(value: unknown): value is Level {
  const { tokens, at } = (value ?? {}) as Partial<Level>;
  return Number.isFinite(tokens) && Number.isFinite(at);
}
