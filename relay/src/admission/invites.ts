import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import { formatDay, Secret } from "@porthole/common/util";
import { keyOf, type Enrollments, type InviteRecord, type KeyRecord } from "./enrollments.ts";
import { isEnrolled } from "./keys.ts";

export interface NewInvite {
  readonly uses: number;
  readonly expiresAt: number;
  readonly label?: string | undefined;
  /** See InviteRecord. */
  readonly maxNames?: number | undefined;
  readonly keyLastsMs?: number | undefined;
}

const maxInvites = 1_000;
const maxKeys = 100_000;
const noSecret = hashOf("");

/** Adds an invite. Only the token's hash is kept: only the person who gets the token knows it. */
export function addInvite(
  enrollments: Enrollments,
  invite: NewInvite,
  now: number,
): { readonly enrollments: Enrollments; readonly token: Secret } {
  if (Object.keys(enrollments.invites).length >= maxInvites)
    throw new PortholeError("limit", `There are ${maxInvites} invites already`, {
      hint: "Take some back: porthole-relay invite revoke ID.",
    });
  const id = randomBytes(5).toString("hex");
  const secret = randomBytes(24).toString("base64url");
  const { uses, ...rest } = invite;
  const record: InviteRecord = { hash: hashOf(secret), uses, usedBy: [], createdAt: now, ...rest };
  return {
    enrollments: { ...enrollments, invites: { ...enrollments.invites, [id]: record } },
    token: new Secret(`${id}.${secret}`),
  };
}

/** Returns the enrollments without the invite. Keys that it enrolled stay. Throws `usage` when there is no such invite. */
export function revokeInvite(enrollments: Enrollments, id: string): Enrollments {
  if (!Object.hasOwn(enrollments.invites, id))
    throw new PortholeError("usage", `There is no invite ${JSON.stringify(id)}`, {
      hint: "porthole-relay invite list shows them.",
    });
  const { [id]: _gone, ...invites } = enrollments.invites;
  return { ...enrollments, invites };
}

/**
 * Enrols the key by the invite's token. A key that has used it already may come again and costs no use. Throws `unauthorized`;
 * only who knows the whole token learns that it was used or has expired.
 */
export function useInvite(enrollments: Enrollments, token: Secret, fingerprint: string, now: number): Enrollments {
  const { id, invite } = findInvite(enrollments, token);
  if (isEnrolled(enrollments, fingerprint, now)) return enrollments;
  // A key that has used this invite and is not let in any more was revoked, whichever invite came after it.
  if (invite.usedBy.includes(fingerprint)) throw endedKey(keyOf(enrollments, fingerprint));
  if (invite.expiresAt <= now) throw refused(`the invite has expired on ${formatDay(invite.expiresAt)}`);
  if (invite.usedBy.length >= invite.uses) throw refused("the invite was used already");
  if (Object.keys(enrollments.keys).length >= maxKeys)
    throw new PortholeError("busy", "this relay has no room for more keys");
  const { label, maxNames, keyLastsMs } = invite;
  const expiresAt = keyLastsMs === undefined ? undefined : now + keyLastsMs;
  return {
    ...enrollments,
    invites: { ...enrollments.invites, [id]: { ...invite, usedBy: [...invite.usedBy, fingerprint] } },
    keys: { ...enrollments.keys, [fingerprint]: { enrolledAt: now, invite: id, label, maxNames, expiresAt } },
  };
}

/** Takes the same time for a wrong token whether or not its first part exists. */
function findInvite(enrollments: Enrollments, token: Secret): { readonly id: string; readonly invite: InviteRecord } {
  const [id = "", secret = ""] = token.reveal().split(".");
  const invite = Object.hasOwn(enrollments.invites, id) ? enrollments.invites[id] : undefined;
  const isSame = timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(invite?.hash ?? noSecret));
  if (invite && isSame) return { id, invite };
  throw refused("this relay does not know the invite", "Copy the whole link again, or ask for a new one.");
}

/** A key that expired counts as revoked from then on. */
function endedKey({ expiresAt, revokedAt = expiresAt }: Partial<KeyRecord> = {}): PortholeError {
  return expiresAt !== undefined && revokedAt === expiresAt
    ? refused(`the key has expired on ${formatDay(expiresAt)}`)
    : refused("the key was revoked", "Ask the relay's operator.");
}

/** A secret of 192 random bits needs no slow hash. */
function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function refused(message: string, hint = "Ask the relay's operator for a new one."): PortholeError {
  return new PortholeError("unauthorized", message, { hint });
}
