import { createPublicKey, verify, type KeyObject } from "node:crypto";
import { PortholeError } from "../errors.ts";
import { clientIdOf, fingerprint } from "./client-id.ts";
import { kindOf, spkiOf, type KeyKind } from "./key-kind.ts";
import { isSigned } from "./sign-text.ts";

/** The public half of a key, and the name that is made of it. */
export interface PublicIdentity {
  readonly publicKey: KeyObject;
  readonly kind: KeyKind;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
  readonly clientId: string;
  readonly fingerprint: string;
}

/** How the holder of a key has to sign. */
export type SignatureAlgorithm = "ecdsa-sha256" | "ed25519" | "rsa-pkcs1-sha256";

const algorithms: Readonly<Record<KeyKind, SignatureAlgorithm>> = {
  p256: "ecdsa-sha256",
  p384: "ecdsa-sha256",
  ed25519: "ed25519",
  rsa: "rsa-pkcs1-sha256",
};

const wordings: Readonly<Record<SignatureAlgorithm, string>> = {
  "ecdsa-sha256": "ECDSA over the SHA-256 of the data, as DER or as r and s behind one another",
  ed25519: "Ed25519 over the data itself",
  "rsa-pkcs1-sha256": "RSA with PKCS #1 v1.5 padding and SHA-256, not PSS",
};

/** Bytes of r and s together (IEEE P1363). */
const plainLengths: Readonly<Partial<Record<KeyKind, number>>> = { p256: 64, p384: 96 };
const maxSignatureBytes = 1_024;
const maxTextLength = 8 * 1024;

export function algorithmOf({ kind }: Pick<PublicIdentity, "kind">): SignatureAlgorithm {
  return algorithms[kind];
}

/** Returns the key of a SubjectPublicKeyInfo: PEM text, base64 of its DER, or the DER itself. Throws `key`. `where` names its source. */
export function readPublicKey(given: string | Uint8Array, where: string): PublicIdentity {
  const publicKey = decode(given, where);
  const kind = kindOf(publicKey, where);
  const spki = spkiOf(publicKey, kind, where);
  const print = fingerprint(spki);
  return { publicKey, kind, spki, fingerprint: print, clientId: clientIdOf(print) };
}

/** The signature as it goes over the wire (base64url; DER for ECDSA), once it has proved to be the key's of exactly this text. Throws `key`. */
export function checkedSignature(key: PublicIdentity, text: string, signature: Uint8Array): string {
  const bytes = Buffer.from(signature);
  if (bytes.length <= maxSignatureBytes) {
    const encoded = bytes.toString("base64url");
    if (isSigned(key, text, encoded)) return encoded;
    const { publicKey } = key;
    const isPlain = bytes.length === plainLengths[key.kind];
    if (isPlain && verify("sha256", Buffer.from(text), { key: publicKey, dsaEncoding: "ieee-p1363" }, bytes))
      return derOf(bytes).toString("base64url");
  }
  throw new PortholeError(
    "key",
    `The signature is not by the key ${key.clientId} over the data that was to be signed`,
    {
      hint: `Sign with the private half of the public key that was given: ${wordings[algorithmOf(key)]}.`,
    },
  );
}

function decode(given: string | Uint8Array, where: string): KeyObject {
  const hint = "Give the public key as SubjectPublicKeyInfo: PEM with BEGIN PUBLIC KEY, or its DER in base64.";
  if (typeof given === "string" && given.includes("PRIVATE KEY-----"))
    throw new PortholeError("key", `${where} holds a private key, not a public one`, { hint });
  try {
    if (given.length === 0 || given.length > maxTextLength) throw new Error("its length");
    if (typeof given === "string" && given.includes("-----BEGIN PUBLIC KEY-----")) return createPublicKey(given);
    if (typeof given === "string" && !/^[A-Za-z0-9+/_=\s-]+$/.test(given)) throw new Error("not base64");
    const key = typeof given === "string" ? Buffer.from(given, "base64") : Buffer.from(given);
    return createPublicKey({ key, type: "spki", format: "der" });
  } catch (cause) {
    throw new PortholeError("key", `${where} can't be read as a public key`, { hint, cause });
  }
}

/** SEQUENCE of two INTEGERs, each positive and without zeros in front. */
function derOf(plain: Buffer): Buffer {
  const half = plain.length / 2;
  const numbers = [plain.subarray(0, half), plain.subarray(half)].map((number) => {
    let start = 0;
    while (start < half - 1 && number[start] === 0) start += 1;
    const digits = number.subarray(start);
    const sign = (digits[0] ?? 0) > 0x7f ? [0] : [];
    return Buffer.from([0x02, digits.length + sign.length, ...sign, ...digits]);
  });
  const body = Buffer.concat(numbers);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}
