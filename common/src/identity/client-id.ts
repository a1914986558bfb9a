import { createHash } from "node:crypto";
import { PortholeError } from "../errors.ts";

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
const clientIdLength = 26;

/** SHA-256 of a SubjectPublicKeyInfo in base32 (RFC 4648, lower case, no padding): all 256 bits, 52 characters. */
export function fingerprint(spkiDer: Uint8Array): string {
  return base32(createHash("sha256").update(spkiDer).digest());
}

/** The first 130 bits of the fingerprint: 26 characters, valid as a DNS label. */
export function clientId(spkiDer: Uint8Array): string {
  return clientIdOf(fingerprint(spkiDer));
}

/** Returns the client id of a fingerprint: its first 26 characters. */
export function clientIdOf(fingerprint: string): string {
  return fingerprint.slice(0, clientIdLength);
}

/** Returns whether the value is a client id in canonical form. */
export function isClientId(value: unknown): value is string {
  return typeof value === "string" && /^[a-z2-7]{26}$/.test(value);
}

/** Whether the value is a fingerprint as `fingerprint` returns it. */
export function isFingerprint(value: unknown): value is string {
  // 256 bits leave the last character one bit: anything but these two would be a second spelling of the same hash.
  return typeof value === "string" && /^[a-z2-7]{51}[aq]$/.test(value);
}

/**
 * A fingerprint as people write it, in our form: 52 base32 characters, or SHA-256 of the key as 64 hex digits with or
 * without colons (openssl's form), in any case.
 */
export function parseFingerprint(text: string): string {
  const lower = text.trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(lower) || /^[0-9a-f]{2}(:[0-9a-f]{2}){31}$/.test(lower))
    return base32(Buffer.from(lower.replaceAll(":", ""), "hex"));
  if (isFingerprint(lower)) return lower;
  throw new PortholeError("usage", `${JSON.stringify(text.slice(0, 100))} is not a fingerprint`, {
    hint: isClientId(lower)
      ? "This is a client id; the fingerprint that begins with it has 52 characters."
      : "A fingerprint has 52 characters from a-z and 2-7, or 64 hex digits.",
  });
}

function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = ((pending << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((pending >> bits) & 31);
    }
  }
  return bits === 0 ? text : text + alphabet.charAt((pending << (5 - bits)) & 31);
}
