import { PortholeError } from "@porthole/common/errors";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const weekMs = 7 * dayMs;

/** A bucket that holds `capacity` quotas and gets a new one every `refillMs`. */
export interface Bucket {
  readonly capacity: number;
  readonly refillMs: number;
}

export interface QuotaLimits {
  /** For names that had no certificate yet. Renewals cost the authority's limit nothing. */
  readonly newNames: Bucket;
  /** For one name, whatever becomes of its certificates. */
  readonly oneName: Bucket;
}

/** Let's Encrypt gives 50 new names a registered domain in a week, and 5 certificates for one name: a little less than both. */
export function quotaLimits(newNamesPerWeek = 45): QuotaLimits {
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

export interface QuotaState {
  readonly newNames: Level | undefined;
  /** Remaining quota of owners that took some lately. */
  readonly owners: Readonly<Record<string, Level>>;
  /** Names that were given quotas, the latest last. */
  readonly names: Readonly<Record<string, Level & { readonly grantedAt: number }>>;
}

export const noQuotaUsed: QuotaState = { newNames: undefined, owners: {}, names: {} };

export type QuotaLimit = "newNames" | "oneOwner" | "oneName";

export type QuotaDecision =
  | { readonly granted: true; readonly state: QuotaState }
  | { readonly granted: false; readonly nextAt: number; readonly limit: QuotaLimit };

/** The part of the quotas for new names that one owner may use. */
const ownerShare = 1 / 3;

/** An owner that asks again within this time has not used its quota yet: the order failed, or the program was restarted. */
const validForMs = hourMs;
/** Let's Encrypt no longer knows a name as old after its certificates are long gone. */
const rememberedMs = 90 * dayMs;
const maxNames = 50_000;

/**
 * Whether a certificate for the name may be ordered now, and if not, when. `owner` is the owner of the client that has the name.
 * Pure: the new state counts once it is stored.
 */
export function takeQuota(
  state: QuotaState,
  name: string,
  owner: string,
  now: number,
  limits: QuotaLimits,
): QuotaDecision {
  const known = Object.hasOwn(state.names, name) ? state.names[name] : undefined;
  if (known && known.grantedAt <= now && now < known.grantedAt + validForMs) return { granted: true, state };
  const one = levelAt(known, limits.oneName, now);
  if (one.tokens < 1) return { granted: false, limit: "oneName", nextAt: nextTokenAt(one, limits.oneName) };
  const all = levelAt(state.newNames, limits.newNames, now);
  if (!known && all.tokens < 1) return { granted: false, limit: "newNames", nextAt: nextTokenAt(all, limits.newNames) };
  const share = shareOf(limits.newNames);
  const own = levelAt(ownerLevel(state, owner), share, now);
  if (!known && own.tokens < 1) return { granted: false, limit: "oneOwner", nextAt: nextTokenAt(own, share) };
  return {
    granted: true,
    state: {
      newNames: known ? all : spend(all),
      owners: known ? state.owners : { ...notFull(state.owners, share, now), [owner]: spend(own) },
      names: { ...remembered(state.names, name, now), [name]: { ...spend(one), grantedAt: now } },
    },
  };
}

/** How many new names may still have certificates. */
export interface QuotaLeft {
  readonly all: number;
  /** The share of one owner. */
  readonly own: number;
}

/** For people. */
export function quotaLeft(state: QuotaState, owner: string, now: number, { newNames }: QuotaLimits): QuotaLeft {
  const all = Math.floor(levelAt(state.newNames, newNames, now).tokens);
  const own = levelAt(ownerLevel(state, owner), shareOf(newNames), now);
  return { all, own: Math.min(all, Math.floor(own.tokens)) };
}

/** The state as it was stored. Throws on anything else; an empty state would give everything away again. */
export function readQuotas(value: unknown): QuotaState {
  const { newNames, owners = {}, names } = value as Record<string, unknown>;
  if (newNames !== undefined && !isLevel(newNames)) throw new Error("its count of new names is missing");
  if (typeof owners !== "object" || owners === null || !Object.values(owners).every(isLevel))
    throw new Error("the count of a owner is missing");
  if (typeof names !== "object" || names === null) throw new Error("its names are missing");
  for (const level of Object.values(names))
    if (!isLevel(level) || typeof (level as { grantedAt?: unknown }).grantedAt !== "number")
      throw new Error("the count of a name is missing");
  return { newNames, owners: owners as QuotaState["owners"], names: names as QuotaState["names"] };
}

/** Returns the error for the client that asked. */
export function quotaExceeded(name: string, nextAt: number, now: number, limit: QuotaLimit): PortholeError {
  const authority = "The certificate authority's weekly limit for";
  const messages: Readonly<Record<QuotaLimit, string>> = {
    newNames: `${authority} new names under this relay's domain is reached`,
    oneOwner: "Your share of the new names that this relay may have certificates for in a week is used up",
    oneName: `${authority} certificates for ${name} is reached`,
  };
  return new PortholeError("busy", messages[limit], {
    retryAfterMs: Math.max(0, nextAt - now),
    hint: "A certificate is ordered by itself when the limit allows it; until then visitors see a self-signed one.",
  });
}

function shareOf({ capacity, refillMs }: Bucket): Bucket {
  return { capacity: Math.max(1, Math.floor(capacity * ownerShare)), refillMs: refillMs / ownerShare };
}

function ownerLevel({ owners }: QuotaState, owner: string): Level | undefined {
  return Object.hasOwn(owners, owner) ? owners[owner] : undefined;
}

/** Returns the owners that do not have their whole share back yet. */
function notFull(owners: QuotaState["owners"], share: Bucket, now: number): QuotaState["owners"] {
  const kept = Object.entries(owners).filter(([, level]) => levelAt(level, share, now).tokens < share.capacity);
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

/** Returns the other names to remember, without old ones and those beyond the bound. */
function remembered(names: QuotaState["names"], name: string, now: number): QuotaState["names"] {
  const kept = Object.entries(names).filter(([each, { grantedAt }]) => each !== name && grantedAt > now - rememberedMs);
  return Object.fromEntries(kept.slice(-(maxNames - 1)));
}

function isLevel(value: unknown): value is Level {
  const { tokens, at } = (value ?? {}) as Partial<Level>;
  return Number.isFinite(tokens) && Number.isFinite(at);
}
