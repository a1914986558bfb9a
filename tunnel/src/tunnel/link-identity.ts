import { createCertificate, delegate, proveKey, type IdentityKey, type ProvenLink } from "@porthole/common/identity";
import type { Hello } from "@porthole/common/protocol";
import { ExternalKey } from "./external-key.ts";

/** A key that a public name is made of, here or elsewhere. */
export type NameKey = IdentityKey | ExternalKey;

/** A key that links are known by, with its certificate, PEM. */
export interface LinkIdentity {
  readonly key: IdentityKey;
  readonly certificate: string;
}

/** A clock that is wrong by a day must not make a certificate look like one from the future. */
const backdatedMs = 2 * 24 * 3_600_000;
/** Longer than any client runs without a restart. */
const lifetimeMs = 365 * 24 * 3_600_000;

export function linkIdentity(key: NameKey, now: number): LinkIdentity {
  const own = tlsKey(key);
  const { pem: certificate } = createCertificate({
    ...{ key: own, dnsNames: [own.clientId] },
    notBefore: new Date(now - backdatedMs),
    notAfter: new Date(now + lifetimeMs),
  });
  return { key: own, certificate };
}

/** The key of this machine that does TLS for it. */
export function tlsKey(key: NameKey): IdentityKey {
  return key instanceof ExternalKey ? key.standIn : key;
}

/** What goes with the hello of a link that is known by this key, for whom the owner vouches, or itself where it is elsewhere. Rejects as `ExternalKey.grantFor`. */
export async function delegationOf(
  owner: NameKey | undefined,
  key: NameKey,
  signal: AbortSignal,
): Promise<Pick<Hello, "delegation">> {
  const { fingerprint } = tlsKey(key);
  const voucher = owner ?? key;
  if (voucher.fingerprint === fingerprint) return {};
  if (voucher instanceof ExternalKey) return { delegation: await voucher.grantFor(fingerprint, signal) };
  return { delegation: delegate(voucher, fingerprint) };
}

/** Shows a relay that the key's holder wants it to be exposed over this link. Rejects as `ExternalKey.grantFor`. */
export async function proveName(
  key: NameKey,
  certificate: string,
  link: ProvenLink,
  signal: AbortSignal,
): Promise<string> {
  return key instanceof ExternalKey ? key.grantFor(link.fingerprint, signal) : proveKey(key, certificate, link);
}
