import type { X509Certificate } from "node:crypto";
import { asn1, fromDer, isTagged, type Asn1 } from "../../identity/der.ts";

const authorityKeyIdentifier = "2.5.29.35";

/** When the authority wants a certificate to be renewed (RFC 9773 4.2). Milliseconds since 1970. */
export interface RenewalWindow {
  readonly start: number;
  readonly end: number;
  /** A page that says why, if the authority has something to say. */
  readonly explanationUrl?: string;
}

/** RFC 9773 4.1: the authority's key identifier and the serial number. Undefined for certificates without such an identifier. */
export function certificateId(certificate: X509Certificate): string | undefined {
  // Node shows the serial number without its leading zero and the key identifier not at all.
  const toBeSigned = children(children(fromDer(certificate.raw))[0]);
  const serial = toBeSigned[isTagged(toBeSigned[0] as Asn1, 0) ? 1 : 0];
  const keyIdentifier = readKeyIdentifier(toBeSigned.find((each) => isTagged(each, 3)));
  if (keyIdentifier === undefined || typeof serial?.value !== "string") return undefined;
  return `${base64url(keyIdentifier)}.${base64url(serial.value)}`;
}

function readKeyIdentifier(extensions: Asn1 | undefined): string | undefined {
  for (const extension of children(children(extensions)[0])) {
    const parts = children(extension);
    const [id, value] = [parts[0], parts.at(-1)];
    if (typeof id?.value !== "string" || typeof value?.value !== "string") continue;
    if (asn1.derToOid(id.value) !== authorityKeyIdentifier) continue;
    const fields = children(fromDer(Buffer.from(value.value, "latin1")));
    const field = fields.find((each) => isTagged(each, 0))?.value;
    return typeof field === "string" ? field : undefined;
  }
  return undefined;
}

/** RFC 9773 4.2. Undefined if it makes no sense, and then the certificate's own dates decide. */
export function readRenewalWindow(value: unknown): RenewalWindow | undefined {
  const { suggestedWindow, explanationURL } = (value ?? {}) as Record<string, unknown>;
  const { start, end } = (suggestedWindow ?? {}) as Record<string, unknown>;
  if (typeof start !== "string" || typeof end !== "string") return undefined;
  const window = { start: Date.parse(start), end: Date.parse(end) };
  if (!(window.start < window.end)) return undefined; // not a number, too
  return { ...window, ...(typeof explanationURL === "string" && { explanationUrl: explanationURL.slice(0, 500) }) };
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** RFC 9773 4.3: the server says when to ask again; within reason, and at least twice a day as Let's Encrypt wishes. */
export function nextWindowCheck(now: number, retryAfterMs: number | undefined): number {
  return now + Math.min(Math.max(retryAfterMs ?? 6 * hourMs, minuteMs), 12 * hourMs);
}

function children(value: Asn1 | undefined): readonly Asn1[] {
  return Array.isArray(value?.value) ? value.value : [];
}

function base64url(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("base64url");
}
