/** A released name is reserved for its last owner for this long, because old links may still point to it. */
export const quarantineMs = 30 * 24 * 3_600_000;

/** Invites, enrolled keys, names and bans. All times are milliseconds since 1970. */
export interface Enrollments {
  /** Invites by id, the token's first part. */
  readonly invites: Readonly<Record<string, InviteRecord>>;
  /** Keys by fingerprint. */
  readonly keys: Readonly<Record<string, KeyRecord>>;
  /** Grants by name, in its canonical form. */
  readonly names: Readonly<Record<string, NameRecord>>;
  /** Bans by what is banned: a client id or fingerprint, `ADDRESS/BITS`, or a name. */
  readonly bans: Readonly<Record<string, BanRecord>>;
}

export interface BanRecord {
  readonly kind: "key" | "network" | "name";
  readonly bannedAt: number;
  /** For good, if absent. */
  readonly until?: number | undefined;
}

export interface InviteRecord {
  /** SHA-256 of the token's second part, in hex. */
  readonly hash: string;
  readonly uses: number;
  /** Fingerprints of the keys that it enrolled. */
  readonly usedBy: readonly string[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly label?: string | undefined;
  /** How many friendly names each key that joins may have; `maxNamesPerKey` if absent. */
  readonly maxNames?: number | undefined;
  /** How long each key that joins is let in, in milliseconds; for good if absent. */
  readonly keyLastsMs?: number | undefined;
}

export interface KeyRecord {
  readonly enrolledAt: number;
  /** The invite's id. */
  readonly invite: string;
  readonly label?: string | undefined;
  /** See InviteRecord. */
  readonly maxNames?: number | undefined;
  /** From then on it counts as revoked. */
  readonly expiresAt?: number | undefined;
  /** The key is not let in any more, not by the same invite either; a new one can enrol it again. */
  readonly revokedAt?: number | undefined;
}

export interface NameRecord {
  readonly fingerprint: string;
  /** The owner that delegated to the key. Defaults to the key itself. */
  readonly owner?: string | undefined;
  readonly grantedAt: number;
  /** The operator has set it aside for the key, or one that it vouches for; none has asked for it yet. */
  readonly isReserved?: boolean | undefined;
  readonly releasedAt?: number | undefined;
}

export const noEnrollments: Enrollments = { invites: {}, keys: {}, names: {}, bans: {} };

/** Returns the record of an enrolled key, revoked and expired ones included. */
export function keyOf(enrollments: Enrollments, fingerprint: string): KeyRecord | undefined {
  return Object.hasOwn(enrollments.keys, fingerprint) ? enrollments.keys[fingerprint] : undefined;
}

/** Long enough to tell someone that the invite is over and not unknown. */
const rememberedMs = 30 * 24 * 3_600_000;

/** Drops records that nothing needs any more, and revokes keys whose time is over. */
export function pruned(before: Enrollments, now: number): Enrollments {
  const enrollments = withoutExpired(before, now);
  const invites = keep(enrollments.invites, ({ expiresAt }) => now < expiresAt + rememberedMs);
  return {
    invites,
    // A revoked key is remembered as long as its invite could bring it back.
    keys: keep(enrollments.keys, ({ revokedAt, invite }) => revokedAt === undefined || Object.hasOwn(invites, invite)),
    names: keep(enrollments.names, ({ releasedAt }) => releasedAt === undefined || now < releasedAt + quarantineMs),
    bans: keep(enrollments.bans, ({ until }) => until === undefined || now < until),
  };
}

/** Keys whose time is over are revoked, and their names released, as of that time. */
function withoutExpired(enrollments: Enrollments, now: number): Enrollments {
  const ends = new Map(
    Object.entries(enrollments.keys).flatMap(([fingerprint, { expiresAt, revokedAt }]) =>
      expiresAt !== undefined && expiresAt <= now && revokedAt === undefined ? [[fingerprint, expiresAt]] : [],
    ),
  );
  if (ends.size === 0) return enrollments;
  const keys = Object.entries(enrollments.keys).map(([fingerprint, key]) => {
    const revokedAt = key.revokedAt ?? ends.get(fingerprint);
    return [fingerprint, revokedAt === undefined ? key : { ...key, revokedAt }] as const;
  });
  const names = Object.entries(enrollments.names).map(([name, record]) => {
    const releasedAt = record.releasedAt ?? ends.get(record.owner ?? record.fingerprint);
    return [name, releasedAt === undefined ? record : { ...record, releasedAt }] as const;
  });
  return { ...enrollments, keys: Object.fromEntries(keys), names: Object.fromEntries(names) };
}

function keep<T>(records: Readonly<Record<string, T>>, isKept: (record: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(records).filter(([, record]) => isKept(record)));
}
