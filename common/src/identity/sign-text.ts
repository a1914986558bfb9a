import { sign, verify, type KeyObject } from "node:crypto";
import type { KeyKind } from "./key-kind.ts";

/** The key's signature of a text (ECDSA and RSA with SHA-256, or Ed25519), base64url. */
export function signText(
  { kind, privateKey }: { readonly kind: KeyKind; readonly privateKey: KeyObject },
  text: string,
): string {
  return sign(digestFor(kind), Buffer.from(text), privateKey).toString("base64url");
}

/** Whether the signature, base64url, is the key's of exactly this text. */
export function isSigned(
  { kind, publicKey }: { readonly kind: KeyKind; readonly publicKey: KeyObject },
  text: string,
  signature: string,
): boolean {
  return verify(digestFor(kind), Buffer.from(text), publicKey, Buffer.from(signature, "base64url"));
}

/** Ed25519 does its own hashing. */
function digestFor(kind: KeyKind): "sha256" | null {
  return kind === "ed25519" ? null : "sha256";
}
