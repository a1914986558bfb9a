import { createCertificate, delegate, type IdentityKey } from "@porthole/common/identity";
import type { Hello } from "@porthole/common/protocol";

/** A key that links are known by, with its certificate, PEM. */
export interface LinkIdentity {
  readonly key: IdentityKey;
  readonly certificate: string;
}

/** A clock that is wrong by a day must not make a certificate look like one from the future. */
const backdatedMs = 2 * 24 * 3_600_000;
/** Longer than any client runs without a restart. */
const lifetimeMs = 365 * 24 * 3_600_000;

export function linkIdentity(key: IdentityKey, now: number): LinkIdentity {
  const { pem: certificate } = createCertificate({
    ...{ key, dnsNames: [key.clientId] },
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(now + lifetimeMs),
  });
  return { key, certificate };
}

/** The owner's word for a key that is not its own. */
export function delegationOf(owner: IdentityKey | undefined, key: IdentityKey): Pick<Hello, "delegation"> {
  return owner && owner.fingerprint !== key.fingerprint ? { delegation: delegate(owner, key.fingerprint) } : {};
}
