import { PortholeError } from "@porthole/common/errors";
import { clientIdOf } from "@porthole/common/identity";
import { keyOf, type Enrollments } from "./enrollments.ts";
import { namesOf, releaseName } from "./names.ts";

/** Returns whether the key is enrolled, and neither revoked nor expired at `now`. */
export function isEnrolled(enrollments: Enrollments, fingerprint: string, now: number): boolean {
  const key = keyOf(enrollments, fingerprint);
  return key !== undefined && key.revokedAt === undefined && !(key.expiresAt !== undefined && key.expiresAt <= now);
}

/** When the next key expires; undefined when none will. */
export function nextExpiry(enrollments: Enrollments, now: number): number | undefined {
  const times = Object.values(enrollments.keys).flatMap(({ expiresAt = 0, revokedAt }) =>
    expiresAt > now && revokedAt === undefined ? [expiresAt] : [],
  );
  return times.length === 0 ? undefined : times.reduce((first, each) => Math.min(first, each));
}

/** Revokes the key of this client id or fingerprint and releases its names. Throws `usage`. */
export function revokeKey(enrollments: Enrollments, id: string, now: number): Enrollments {
  const found = Object.entries(enrollments.keys).find(
    ([fingerprint]) => fingerprint === id || clientIdOf(fingerprint) === id,
  );
  if (!found || found[1].revokedAt !== undefined)
    throw new PortholeError("usage", `No key ${id} has joined by an invite`, {
      hint: "porthole-relay keys list shows those that have. A key in the file of --authorized-keys goes when its line goes; for one that the webhook lets in, let it say no, then porthole-relay disconnect ID.",
    });
  const [fingerprint, key] = found;
  const revoked = { ...enrollments, keys: { ...enrollments.keys, [fingerprint]: { ...key, revokedAt: now } } };
  return namesOf(enrollments, fingerprint).reduce<Enrollments>(
    (result, name) => releaseName(result, name, now),
    revoked,
  );
}

/** Returns the label of the invite that enrolled the key. */
export function labelOf(enrollments: Enrollments, fingerprint: string): string | undefined {
  return keyOf(enrollments, fingerprint)?.label;
}
