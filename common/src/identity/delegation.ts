import { createPublicKey } from "node:crypto";
import { PortholeError } from "../errors.ts";
import { clientIdOf, fingerprint } from "./client-id.ts";
import { kindOf, spkiOf } from "./key-kind.ts";
import type { IdentityKey } from "./key.ts";
import { isSigned, signText } from "./sign-text.ts";

/** A key that speaks for others: a person's, where each thing that the person exposes has a key and a name of its own. */
export interface Owner {
  readonly fingerprint: string;
  readonly clientId: string;
}

const where = "the delegation";

/**
 * The owner's signed word that the key with this fingerprint is the same person's: `SPKI.SIGNATURE`, both base64url. It is
 * worth nothing to others: its bearer has to prove in TLS that the key is theirs.
 */
export function delegate(owner: IdentityKey, keyFingerprint: string): string {
  return `${owner.spki.toString("base64url")}.${signText(owner, statement(keyFingerprint))}`;
}

/** Whose word it is. Throws `protocol` when it is not about this key or not signed, `key` for a kind of key that we don't accept. */
export function readDelegation(delegation: string, keyFingerprint: string): Owner {
  const [spkiText = "", signature = "", ...rest] = delegation.split(".");
  try {
    const publicKey = createPublicKey({ key: Buffer.from(spkiText, "base64url"), type: "spki", format: "der" });
    const kind = kindOf(publicKey, where);
    const spki = spkiOf(publicKey, kind, where);
    if (rest.length > 0 || !isSigned({ kind, publicKey }, statement(keyFingerprint), signature))
      throw new PortholeError("protocol", "The delegation is not signed by its key for this one");
    const print = fingerprint(spki);
    return { fingerprint: print, clientId: clientIdOf(print) };
  } catch (cause) {
    if (cause instanceof PortholeError) throw cause;
    throw new PortholeError("protocol", "The delegation can't be read", { cause });
  }
}

/** No other text that a key of ours signs begins like this. */
function statement(keyFingerprint: string): string {
  return `porthole delegation 1\n${keyFingerprint}\n`;
}
