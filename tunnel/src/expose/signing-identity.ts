import { KeyObject, type webcrypto } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import { signerError, type IdentityRef, type KeyHolder, type SignParams } from "../rpc/index.ts";

/** What is to be signed, and what for. */
export type SignatureRequest = Omit<SignParams, "data"> & {
  /** Aborts when the signature is not needed any more, at the latest after a minute. */
  readonly signal: AbortSignal;
};

/**
 * A key whose private half is elsewhere: in a token, in a key store, in WebCrypto. `sign` is called at the first start and about twice a
 * day; it gets the bytes that are to be signed, not their hash. ECDSA with P-256 or P-384 signs with SHA-256, as DER or as r and s behind
 * one another (WebCrypto); Ed25519 as it is; RSA with PKCS #1 v1.5 padding and SHA-256. What it throws ends the first start with the code
 * `signer`.
 */
export interface SigningIdentity {
  /** SubjectPublicKeyInfo: PEM text, or DER. Or a key object of `node:crypto` or WebCrypto. */
  readonly publicKey: string | Uint8Array | KeyObject | webcrypto.CryptoKey;
  sign(data: Uint8Array, request: SignatureRequest): Uint8Array | ArrayBuffer | Promise<Uint8Array | ArrayBuffer>;
}

/** What the runtime is given for it. Throws `key`. */
export function signingIdentity(signer: SigningIdentity): {
  readonly identity: IdentityRef;
  readonly holder: KeyHolder;
} {
  if (typeof signer.sign !== "function")
    throw new PortholeError("usage", "identity.sign is not a function", {
      hint: "It takes bytes and returns their signature.",
    });
  const identity = { publicKey: textOf(signer.publicKey) };
  const holder: KeyHolder = {
    left: new Promise(() => {}),
    async sign({ data, ...others }, signal) {
      try {
        const signature: unknown = await signer.sign(Buffer.from(data, "base64"), { ...others, signal });
        return { signature: bytesOf(signature).toString("base64") };
      } catch (reason) {
        throw signerError(reason);
      }
    },
  };
  return { identity, holder };
}

export function isSigningIdentity(identity: IdentityRef | SigningIdentity): identity is SigningIdentity {
  return "sign" in identity;
}

function bytesOf(signature: unknown): Buffer {
  if (signature instanceof Uint8Array) return Buffer.from(signature);
  if (signature instanceof ArrayBuffer) return Buffer.from(signature);
  throw new PortholeError("signer", "the function sign returned no bytes");
}

function textOf(publicKey: SigningIdentity["publicKey"]): string {
  if (typeof publicKey === "string") return publicKey;
  if (publicKey instanceof Uint8Array) return Buffer.from(publicKey).toString("base64");
  try {
    const key = publicKey instanceof KeyObject ? publicKey : KeyObject.from(publicKey);
    return key.export({ type: "spki", format: "der" }).toString("base64");
  } catch (cause) {
    throw new PortholeError("key", "identity.publicKey is not a public key", {
      hint: "Give the public half as SubjectPublicKeyInfo (PEM or DER), or a key object that has it.",
      cause,
    });
  }
}
