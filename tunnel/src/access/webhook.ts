import { createHmac, timingSafeEqual } from "node:crypto";
import type { Clock, Secret } from "@porthole/common/util";
import type { AccessRequest } from "./policy.ts";
import { sameSecret } from "./same-secret.ts";
import type { Claim, WebhookScheme } from "./webhook-schemes.ts";

/** As Stripe and Slack advise: long enough for clocks and retries, too short to send an old one again. */
const toleranceMs = 5 * 60_000;
/** GitHub's largest; nobody sends larger ones. */
const maxBodyBytes = 25 * 1024 * 1024;
/** Bodies whose signatures are being checked, all together: strangers can make us hold this much and no more. */
const maxHeldBytes = 64 * 1024 * 1024;

export type WebhookOutcome = "genuine" | "missing" | "bad-signature" | "body-too-large" | "busy";

export interface WebhookRule {
  readonly scheme: WebhookScheme;
  /** Any of them may have signed. */
  readonly secrets: readonly Secret[];
}

/** Checks signatures against the body as it is on the wire. What the head alone gives away is refused before the body is read. */
export class WebhookCheck {
  readonly #rule: WebhookRule;
  readonly #clock: Clock;
  #heldBytes = 0;

  constructor(rule: WebhookRule, clock: Clock) {
    this.#rule = rule;
    this.#clock = clock;
  }

  async check(request: AccessRequest, contentLength: number | undefined): Promise<WebhookOutcome> {
    const claims = this.#rule.secrets.flatMap((secret) => {
      const claim = this.#rule.scheme.claim(request.headers, secret.reveal());
      return claim ? [{ claim, secret: secret.reveal() }] : [];
    });
    const [first] = claims;
    if (!first) return "missing";
    if (claims.every(({ claim }) => !this.#isFresh(claim))) return "bad-signature";
    if (first.claim.kind === "token") return matches(claims, Buffer.alloc(0)) ? "genuine" : "bad-signature";
    if (contentLength !== undefined && contentLength > maxBodyBytes) return "body-too-large";
    const heldBytes = contentLength ?? maxBodyBytes;
    if (this.#heldBytes + heldBytes > maxHeldBytes) return "busy";
    this.#heldBytes += heldBytes;
    try {
      const body = await request.body(maxBodyBytes);
      if (!body) return "body-too-large";
      return matches(claims, body) ? "genuine" : "bad-signature";
    } finally {
      this.#heldBytes -= heldBytes;
    }
  }

  #isFresh(claim: Claim): boolean {
    if (claim.kind === "token" || claim.sentAt === undefined) return true;
    return Math.abs(this.#clock.now() - claim.sentAt * 1_000) <= toleranceMs;
  }
}

function matches(claims: readonly { readonly claim: Claim; readonly secret: string }[], body: Buffer): boolean {
  // All are compared, whichever fits: how long it takes says nothing.
  return claims.map(({ claim, secret }) => isGenuine(claim, secret, body)).includes(true);
}

function isGenuine(claim: Claim, secret: string, body: Buffer): boolean {
  if (claim.kind === "token") return sameSecret(claim.token, secret);
  const expected = createHmac(claim.algorithm, claim.key(secret)).update(claim.before).update(body).digest();
  return claim.signatures
    .map((signature) => signature.length === expected.length && timingSafeEqual(signature, expected))
    .includes(true);
}
