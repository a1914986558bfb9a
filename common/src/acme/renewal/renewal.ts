import type { RenewalWindow } from "../order/ari.ts";

const dayMs = 24 * 3_600_000;

/** A life shorter than this is renewed at its half: a third of it would leave too little time for repairs. */
const shortLifeMs = 10 * dayMs;

const youngMs = 6 * 3_600_000;

export interface Validity {
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface RenewalOptions {
  /** The renewal window that the authority suggests (ARI, RFC 9773). */
  readonly window?: RenewalWindow | undefined;
  /** `--acme-renew-days`: a long-lived certificate is renewed when this many days are left, however long a third of its life is. */
  readonly renewDays?: number | undefined;
  /** A number from 0 to below 1, chosen once for each certificate, so that those of one day are not all renewed in one minute. */
  readonly jitter: number;
}

/**
 * When the certificate is due. The authority's window decides where there is one (RFC 9773 4.3: a random time in it, which may
 * lie in the past); otherwise a third of the life has to be left, half of a short one. With a twentieth left it is an emergency
 * and due whatever anybody says.
 */
export function renewalTime(validity: Validity, { window, renewDays, jitter }: RenewalOptions): number {
  const { notBefore, notAfter } = validity;
  const emergency = emergencyTime(validity);
  const lifeMs = notAfter - notBefore;
  if (window) {
    const selected = window.start + jitter * (window.end - window.start);
    // An authority that wants each new certificate replaced at once would have us order without end.
    return Math.min(Math.max(selected, notBefore + Math.min(lifeMs / 4, youngMs)), emergency);
  }
  const usualMs = lifeMs < shortLifeMs ? lifeMs / 2 : lifeMs / 3;
  const leftMs = renewDays === undefined ? usualMs : Math.min(usualMs, renewDays * dayMs);
  return Math.min(notAfter - leftMs - jitter * Math.min(leftMs / 10, dayMs), emergency);
}

/** Returns when a twentieth of the life is left, in milliseconds since 1970. From then on renewal ignores the authority's suggestion. */
export function emergencyTime({ notBefore, notAfter }: Validity): number {
  return notAfter - (notAfter - notBefore) / 20;
}
