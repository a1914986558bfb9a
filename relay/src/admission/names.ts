import { PortholeError, setting } from "@porthole/common/errors";
import { formatDay } from "@porthole/common/util";
import { keyOf, quarantineMs, type Enrollments } from "./enrollments.ts";

const maxNames = 10_000;
/** The limit for a key and all keys that it vouches for: keys cost nothing. */
export const maxNamesPerKey = 10;
/**
 * What programs look for by themselves in the domain that they are in, and believe: proxy discovery, mail clients' configuration, the mail
 * policy of RFC 8461, tunnel discovery of RFC 5214. A wildcard in the DNS makes all of them exist.
 */
const soughtByPrograms = ["wpad", "autodiscover", "autoconfig", "mta-sts", "isatap"];

/** Gives the (canonical) name to the key, or finds that it has it already; `owner` is who vouches for the key. Throws `name`. */
export function grantName(
  enrollments: Enrollments,
  name: string,
  fingerprint: string,
  now: number,
  owner = fingerprint,
): Enrollments {
  const owned = Object.hasOwn(enrollments.names, name) ? enrollments.names[name] : undefined;
  if (owned?.fingerprint === fingerprint && owned.releasedAt === undefined && !owned.isReserved) return enrollments;
  const isForThem = owned?.isReserved === true && owned.fingerprint === owner && owned.releasedAt === undefined;
  if (owned && owned.fingerprint !== fingerprint && !isForThem) {
    if (owned.releasedAt === undefined) throw refused(`the name ${name} belongs to another key`);
    const freeAt = owned.releasedAt + quarantineMs;
    if (now < freeAt) throw refused(`the name ${name} is reserved for its last owner until ${formatDay(freeAt)}`);
  }
  if (soughtByPrograms.includes(name)) throw refused(`programs look for ${name} by themselves, so no client gets it`);
  const { maxNames: most = maxNamesPerKey } = keyOf(enrollments, owner) ?? {};
  if (!isForThem && namesOf(enrollments, owner).length >= most)
    throw refused(most === 0 ? "the key may have no friendly names" : `the key has ${most} names already`);
  if (!owned && Object.keys(enrollments.names).length >= maxNames)
    throw refused("this relay has no room for more names");
  const vouched = owner === fingerprint ? {} : { owner };
  return { ...enrollments, names: { ...enrollments.names, [name]: { fingerprint, ...vouched, grantedAt: now } } };
}

/**
 * Sets a name aside for a key, or one that it vouches for, whatever the number of its names. A released name can be set aside, too.
 * Throws `usage`.
 */
export function reserveName(enrollments: Enrollments, name: string, fingerprint: string, now: number): Enrollments {
  const owned = Object.hasOwn(enrollments.names, name) ? enrollments.names[name] : undefined;
  if (owned && owned.releasedAt === undefined)
    throw new PortholeError("usage", `The name ${name} belongs to a key already`, {
      hint: `porthole-relay names release ${name} takes it back.`,
    });
  if (soughtByPrograms.includes(name))
    throw new PortholeError("usage", `Programs look for ${name} by themselves, so no client gets it`);
  if (!owned && Object.keys(enrollments.names).length >= maxNames)
    throw new PortholeError("limit", "This relay has no room for more names");
  const record = { fingerprint, grantedAt: now, isReserved: true };
  return { ...enrollments, names: { ...enrollments.names, [name]: record } };
}

/** The names that the key has, and those of the keys that it vouches for. */
export function namesOf(enrollments: Enrollments, owner: string): string[] {
  return Object.entries(enrollments.names)
    .filter(([, each]) => (each.owner ?? each.fingerprint) === owner && each.releasedAt === undefined)
    .map(([name]) => name);
}

/** Nobody has the name any more, and nobody but its last owner gets it before the quarantine is over. Throws `usage`. */
export function releaseName(enrollments: Enrollments, name: string, now: number): Enrollments {
  const owned = Object.hasOwn(enrollments.names, name) ? enrollments.names[name] : undefined;
  if (!owned || owned.releasedAt !== undefined)
    throw new PortholeError("usage", `Nobody has the name ${JSON.stringify(name)}`, {
      hint: "porthole-relay names list shows them.",
    });
  return { ...enrollments, names: { ...enrollments.names, [name]: { ...owned, releasedAt: now } } };
}

/** Whether the key has the name now. */
export function ownsName(enrollments: Enrollments, name: string, fingerprint: string): boolean {
  const owned = Object.hasOwn(enrollments.names, name) ? enrollments.names[name] : undefined;
  return owned?.fingerprint === fingerprint && owned.releasedAt === undefined;
}

function refused(message: string): PortholeError {
  return new PortholeError("name", message, { hint: `Choose another ${setting("name")}, or leave it out.` });
}
