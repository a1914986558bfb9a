import { createHmac, timingSafeEqual } from "node:crypto";
import { orAbort, sameSecret, type Clock, type Secret } from "@porthole/common/util";
import type { GuessBrake } from "./guess-brake.ts";
import { HeldBodies } from "./held-bodies.ts";
import type { AccessRequest } from "./policy.ts";
import type { Claim, WebhookScheme } from "./webhook-schemes.ts";

/** As Stripe and Slack advise: long enough for clocks and retries, too short to send an old one again. */
const toleranceMs = 5 * 60_000;
/** GitHub's largest; nobody sends larger ones. */
const maxBodyBytes = 25 * 1024 * 1024;
/** The limit on all bodies whose signatures are being checked. */
const maxHeldBytes = 64 * 1024 * 1024;

export type WebhookOutcome = "genuine" | "missing" | "bad-signature" | "body-too-large" | "busy" | "too-many-tries";

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
  readonly #brake: GuessBrake;

  /** `brake`: a token that is the secret itself can be guessed, as a password can. */
  constructor(rule: WebhookRule, clock: Clock, brake: GuessBrake) {
    this.#rule = rule;
    this.#clock = clock;
    this.#brake = brake;
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
    const byToken = this.#byToken(request.visitor.address, fresh.filter(isToken));
    if (byToken === "genuine") return byToken;
    const signed = fresh.filter((each) => !isToken(each));
    return signed.length === 0 ? (byToken ?? "bad-signature") : this.#bySignature(request, signed, contentLength);
  }

  /** Undefined where there is no token. */
  #byToken(address: string, claims: readonly SignedClaim[]): WebhookOutcome | undefined {
    const claim = claims[0]?.claim;
    if (claim?.kind !== "token") return undefined;
    if (this.#brake.waitMs(address, claim.token) > 0) return "too-many-tries";
    if (matches(claims, Buffer.alloc(0))) {
      this.#brake.right(address, claim.token);
      return "genuine";
    }
    this.#brake.wrong(address, claim.token);
    return "bad-signature";
  }

  async #bySignature(
    request: AccessRequest,
    signed: readonly SignedClaim[],
    contentLength: number | undefined,
  ): Promise<WebhookOutcome> {
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
