import { createHash, timingSafeEqual } from "node:crypto";

/** Whether both are the same, in a time that says nothing about either, their lengths included. */
export function sameSecret(one: string | Uint8Array, other: string | Uint8Array): boolean {
  return timingSafeEqual(digest(one), digest(other));
}

function digest(value: string | Uint8Array): Buffer {
  return createHash("sha256").update(value).digest();
}
