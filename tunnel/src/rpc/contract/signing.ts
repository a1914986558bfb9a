import * as v from "valibot";
import { count, text, type Data } from "../../schema/index.ts";

const signParams = v.object({
  /** First label of the public name. */
  clientId: text,
  /** SHA-256 of the public key, as it is pinned. */
  fingerprint: text,
  /** For ECDSA the signature is DER, or r and s behind one another. RSA has PKCS #1 v1.5 padding. */
  algorithm: v.picklist(["ecdsa-sha256", "ed25519", "rsa-pkcs1-sha256"]),
  /** The bytes to sign, in base64. They are not hashed yet. */
  data: text,
  /** Until when this machine may speak for the key, by this signature: milliseconds since 1970. */
  validUntil: count,
});
export type SignParams = Data<typeof signParams>;
const signResult = v.object({
  /** In base64. */
  signature: v.pipe(text, v.base64(), v.maxLength(2_048)),
});
export type SignResult = Data<typeof signResult>;

/** What the daemon asks of the program that drives it. */
export const callerSchemas = {
  /**
   * A signature by a key that the program holds: the one that has named its public half last is asked. It has a minute; the daemon cancels
   * with `$/cancelRequest` what is not needed any more. Any error means that the key's holder did not sign.
   */
  "identity/sign": { params: signParams, result: signResult },
};
