import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import type { Secret } from "@porthole/common/util";

const nonceBytes = 12;
const tagBytes = 16;
const minSecretLength = 32;

/** Encrypts and authenticates what is kept where others could read or change it. */
export interface Sealer {
  /** `place` is where it is kept: what was sealed for one place opens at no other. */
  seal(place: string, text: string): Buffer;
  /** Undefined for what was not sealed by this secret for this place. */
  open(place: string, sealed: Uint8Array): string | undefined;
}

/** AES-256-GCM by a key that is derived from the cluster's secret for one purpose. Throws `usage` for a secret that can be guessed. */
export function createSealer(secret: Secret, purpose: string): Sealer {
  const text = secret.reveal();
  if (text.length < minSecretLength)
    throw new PortholeError("usage", `The secret of the cluster has fewer than ${minSecretLength} characters`, {
      hint: "Make one: openssl rand -hex 32",
    });
  const key = Buffer.from(hkdfSync("sha256", text, "porthole-cluster", purpose, 32));
  return {
    seal(place, plain) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(place));
      return Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]);
    },
    open(place, sealed) {
      if (sealed.length < nonceBytes + tagBytes) return undefined;
      const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(sealed.length - tagBytes));
      try {
        const body = sealed.subarray(nonceBytes, sealed.length - tagBytes);
        return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
      } catch {
        return undefined;
      }
    },
  };
}
