import type { KeyObject } from "node:crypto";
import { PortholeError } from "../errors.ts";

/** The kinds of key that TLS can use everywhere we run. */
export type KeyKind = "p256" | "p384" | "ed25519" | "rsa";

const curves: Readonly<Record<string, KeyKind>> = { prime256v1: "p256", secp384r1: "p384" };

/**
 * How a SubjectPublicKeyInfo of each kind begins (RFC 5480: named curve, uncompressed point; RFC 8410). A fingerprint is a
 * hash of these bytes, so a key has only one spelling. RSA has one by itself: OpenSSL always writes it again.
 */
const spkiPrefixes: Readonly<Record<KeyKind, string>> = {
  p256: "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
  p384: "3076301006072a8648ce3d020106052b8104002203620004",
  ed25519: "302a300506032b6570032100",
  rsa: "3082",
};

const minRsaBits = 2048;
/** Checking a signature of a larger key takes milliseconds, and strangers choose the key. */
const maxRsaBits = 8192;
const maxRsaExponent = 0xffff_ffffn;

/** The kind of a public or private key, or a `key` error that says why it can't serve. */
export function kindOf(key: KeyObject, where: string): KeyKind {
  const type = key.asymmetricKeyType;
  const details = key.asymmetricKeyDetails ?? {};
  if (type === "ed25519") return "ed25519";
  if (type === "ec") {
    const kind = curves[details.namedCurve ?? ""];
    if (kind) return kind;
    throw unusable(where, `is on the curve ${details.namedCurve ?? "of explicit parameters"}`);
  }
  if (type === "rsa") {
    const bits = details.modulusLength ?? 0;
    if (bits < minRsaBits) throw unusable(where, `is RSA with only ${bits} bits`);
    if (bits > maxRsaBits) throw unusable(where, `is RSA with ${bits} bits, more than ${maxRsaBits}`);
    if ((details.publicExponent ?? 0n) > maxRsaExponent) throw unusable(where, "is RSA with an outsized exponent");
    return "rsa";
  }
  throw unusable(where, `is of the kind ${(type ?? "unknown").toUpperCase()}`);
}

/** The one DER spelling of a public key that fingerprints are made of. */
export function spkiOf(publicKey: KeyObject, kind: KeyKind, where: string): Buffer {
  const spki = publicKey.export({ type: "spki", format: "der" });
  if (spki.toString("hex", 0, spkiPrefixes[kind].length / 2) === spkiPrefixes[kind]) return spki;
  throw new PortholeError("key", `The key in ${where} is in an unusual encoding (compressed point)`, {
    hint: "Convert it: openssl ec -in OLD -out NEW -conv_form uncompressed -param_enc named_curve",
  });
}

function unusable(where: string, what: string): PortholeError {
  return new PortholeError("key", `The key in ${where} ${what}, which can't serve as an identity`, {
    hint: `Use ECDSA P-256 or P-384, Ed25519, or RSA with ${minRsaBits} to ${maxRsaBits} bits.`,
  });
}
