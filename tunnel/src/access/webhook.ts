import { createHmac, timingSafeEqual } from "node:crypto";
import { orAbort, type Clock, type Secret } from "@porthole/common/util";
import { HeldBodies } from "./held-bodies.ts";
import type { AccessRequest } from "./policy.ts";
import { sameSecret } from "./same-secret.ts";
import type { Claim, WebhookScheme } from "./webhook-schemes.ts";

/** As Stripe and Slack advise: long enough for clocks and retries, too short to send an old one again. */
const toleranceMs = 5 * 60_000;
/** GitHub's largest; nobody sends larger ones. */
const maxBodyBytes = 25 * 1024 * 1024;
/** The limit on all bodies whose signatures are being checked. */
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
  readonly #bodies: HeldBodies;

  constructor(rule: WebhookRule, clock: Clock) {
    this.#rule = rule;
    this.#clock = clock;
    this.#bodies = new HeldBodies(maxHeldBytes, clock);
  }

  /** The bytes of bodies that are being checked. */
  get heldBytes(): number {
    return this.#bodies.bytes;
  }

  async check(request: AccessRequest, contentLength: number | undefined): Promise<WebhookOutcome> {
    const claims = this.#rule.secrets.flatMap((secret) => {
      const claim = this.#rule.scheme.claim(request.headers, secret.reveal());
      return claim ? [{ claim, secret: secret.reveal() }] : [];
    });
    if (claims.length === 0) return "missing";
    // Each claim by its own rule: a token beside it makes a stale signature no fresher, and needs no body.
    const fresh = claims.filter(({ claim }) => this.#isFresh(claim));
    const isToken = ({ claim }: SignedClaim): boolean => claim.kind === "token";
    if (matches(fresh.filter(isToken), Buffer.alloc(0))) return "genuine";
    const signed = fresh.filter((each) => !isToken(each));
    if (signed.length === 0) return "bad-signature";
    if (contentLength !== undefined && contentLength > maxBodyBytes) return "body-too-large";
    const held = this.#bodies.open();
    try {
      const reading = request.body(maxBodyBytes, (bytes) => held.grow(bytes));
      const body = await orAbort(held.signal, reading);
      if (!body) return "body-too-large";
      return matches(signed, body) ? "genuine" : "bad-signature";
    } catch (reason) {
      if (held.signal.aborted) return "busy";
      throw reason;
    } finally {
      held.close();
    }
  }

  #isFresh(claim: Claim): boolean {
    if (claim.kind === "token" || claim.sentAt === undefined) return true;
    return Math.abs(this.#clock.now() - claim.sentAt * 1_000) <= toleranceMs;
  }
}

interface SignedClaim {
  readonly claim: Claim;
  readonly secret: string;
}

function matches(claims: readonly SignedClaim[], body: Buffer): boolean {
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
