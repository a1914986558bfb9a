import { PortholeError } from "../errors.ts";
import type { IdentityKey } from "./key.ts";
import { readPublicKey, type PublicIdentity } from "./public-key.ts";
import { isSigned, signText } from "./sign-text.ts";

/** A key that speaks for others: a person's, where each thing that the person exposes has a key and a name of its own. */
export interface Owner {
  readonly fingerprint: string;
  readonly clientId: string;
}

/** The longest time for which a key may let another one speak for it. */
export const maxDelegationMs = 7 * 24 * 3_600_000;

const where = "the delegation";

/**
 * The owner's signed word that the key with this fingerprint is the same person's: `SPKI.SIGNATURE`, both base64url. It is
 * worth nothing to others: its bearer has to prove in TLS that the key is theirs.
 */
export function delegate(owner: IdentityKey, keyFingerprint: string): string {
  return `${owner.spki.toString("base64url")}.${signText(owner, statement(keyFingerprint))}`;
}

/**
 * What a key that is elsewhere signs, so that the key with this fingerprint may act in its place until then: it is the same person's, and
 * exposes the name of the other one. Milliseconds since 1970.
 */
export function grantText(keyFingerprint: string, until: number): string {
  return `porthole delegation 2\n${keyFingerprint}\n${until}\n`;
}

/** A grant as it goes over the wire: `SPKI.SIGNATURE.UNTIL`. `signature` is what `checkedSignature` returns for `grantText`. */
export function formatGrant({ spki }: PublicIdentity, signature: string, until: number): string {
  return `${spki.toString("base64url")}.${signature}.${until}`;
}

export interface Grant {
  readonly by: PublicIdentity;
  readonly until: number;
}

export function isGrant(text: string): boolean {
  return text.split(".").length === 3;
}

/** Whose word it is, and until when. The caller compares that with its clock. Throws as `readDelegation`. */
export function readGrant(text: string, keyFingerprint: string): Grant {
  const [spki = "", signature = "", end = ""] = text.split(".");
  const until = /^\d{1,15}$/.test(end) ? Number(end) : Number.NaN;
  return { by: signer(spki, grantText(keyFingerprint, until), isGrant(text) ? signature : ""), until };
}

/** Throws `unauthorized` for a grant that has ended, or that is for longer than keys may give one. */
export function checkGrant({ until }: Pick<Grant, "until">, now: number): void {
  const hint = "If it was made just now, compare the clock of the client's machine with the relay's.";
  if (until <= now) throw new PortholeError("unauthorized", `the key's delegation ended at ${dateOf(until)}`, { hint });
  if (until > now + maxDelegationMs + toleranceMs)
    throw new PortholeError("unauthorized", `the key's delegation is for more than 7 days, until ${dateOf(until)}`, {
      hint,
    });
}

/**
 * Whose word it is, with or without an end. Throws `protocol` when it is not about this key or not signed, `unauthorized` when it has
 * ended, `key` for a kind of key that we don't accept.
 */
export function readDelegation(delegation: string, keyFingerprint: string, now: number): Owner {
  if (isGrant(delegation)) {
    const grant = readGrant(delegation, keyFingerprint);
    checkGrant(grant, now);
    return ownerOf(grant.by);
  }
  const [spki = "", signature = "", ...rest] = delegation.split(".");
  return ownerOf(signer(spki, statement(keyFingerprint), rest.length > 0 ? "" : signature));
}

/** Clocks differ. */
const toleranceMs = 3_600_000;

function dateOf(time: number): string {
  return Math.abs(time) <= 8.64e15 ? new Date(time).toISOString() : String(time);
}

function ownerOf({ fingerprint, clientId }: PublicIdentity): Owner {
  return { fingerprint, clientId };
}

function signer(spkiText: string, text: string, signature: string): PublicIdentity {
  const spki = Buffer.from(spkiText, "base64url");
  try {
    const key = readPublicKey(spki, where);
    if (signature !== "" && isSigned(key, text, signature)) return key;
  } catch (cause) {
    // A key that can be read and can't serve.
    if (cause instanceof PortholeError && cause.cause === undefined) throw cause;
    throw new PortholeError("protocol", "The delegation can't be read", { cause });
  }
  throw new PortholeError("protocol", "The delegation is not signed by its key for this one");
}

/** No other text that a key of ours signs begins like this. */
function statement(keyFingerprint: string): string {
  return `porthole delegation 1\n${keyFingerprint}\n`;
}
