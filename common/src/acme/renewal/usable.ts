import { PortholeError } from "../../errors.ts";
import { parseKey, type IdentityKey } from "../../identity/index.ts";
import { validateChain, type Chain } from "../order/chain.ts";
import type { CertificateRecord } from "./record.ts";

/** A chain and the key that it is for. */
export interface Usable {
  readonly chain: Chain;
  readonly key: IdentityKey;
}

/** Returns the part of a record that can serve the name, or the reason why none can. Does not look at dates. */
export function usableOf(
  { chain, keyPem }: CertificateRecord,
  name: string,
  ownKey: IdentityKey | undefined,
): { readonly usable?: Usable; readonly fault?: string } {
  if (!chain) return {};
  let key = ownKey;
  try {
    key ??= keyPem && parseKey(keyPem.reveal(), "the certificate file");
  } catch (reason) {
    return { fault: PortholeError.from(reason).message };
  }
  if (!key) return { fault: "its key is missing" };
  const fault = validateChain(chain, name, key);
  return fault === undefined ? { usable: { chain, key } } : { fault };
}
