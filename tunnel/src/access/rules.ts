import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { longestTimerMs, type Clock, type Secret, type Timer } from "@porthole/common/util";
import type { AddressList } from "./address-list.ts";
import { authorizationOf, isBearer, isUser } from "./credentials.ts";
import { valuesOf, type RawHeaders } from "../http/index.ts";
import { GuessBrake } from "./guess-brake.ts";
import { unlimitedListeners } from "./unlimited-listeners.ts";
import type { PathList } from "./path-list.ts";
import type { AccessDecision, AccessPolicy, AccessRequest, AccessSummary, RawDecision, Refused } from "./policy.ts";
import type { ShareLinks } from "./share-links.ts";
import { forgetShareCookie, visitByLink } from "./share-visit.ts";
import { WebhookCheck, type WebhookOutcome, type WebhookRule } from "./webhook.ts";

/**
 * Who may visit an endpoint. Addresses, paths and the end of the time must hold for everybody; of the credentials any one is enough. Without
 * credentials nobody is asked for any.
 */
export interface AccessRules {
  readonly addresses?: AddressList | undefined;
  readonly paths?: PathList | undefined;
  /** Milliseconds since 1970. */
  readonly endsAt?: number | undefined;
  /** `user:password` each. */
  readonly users?: readonly Secret[] | undefined;
  readonly bearerTokens?: readonly Secret[] | undefined;
  readonly shareLinks?: ShareLinks | undefined;
  readonly webhook?: WebhookRule | undefined;
}

/** The caller closes it: there may be a timer for the end of the time. It does not close the share links. */
export interface AccessRulesPolicy extends AccessPolicy {
  readonly summary: AccessSummary;
  close(): void;
}

export interface AccessContext {
  readonly clock: Clock;
  readonly log: Logger;
}

export function createAccessPolicy(rules: AccessRules, { clock, log }: AccessContext): AccessRulesPolicy {
  const end = rules.endsAt === undefined ? undefined : watchEnd(rules.endsAt, clock);
  const brake = new GuessBrake(clock, (address) =>
    log.warn(
      { address },
      `${address} has tried several wrong passwords or tokens: it has to wait before it can try another one`,
    ),
  );
  const webhook = rules.webhook && new WebhookCheck(rules.webhook, clock, brake);
  const asksForCredentials = Boolean(rules.users || rules.bearerTokens || rules.shareLinks || webhook);
  const both = new WeakMap<AbortSignal, AbortSignal>();

  /** One signal for each link: a new one for each request would stay in memory until the link ends. */
  function untilBoth(link: AbortSignal): AbortSignal {
    if (!end) return link;
    const known = both.get(link) ?? unlimitedListeners(AbortSignal.any([link, end.signal]));
    both.set(link, known);
    return known;
  }

  function check(request: AccessRequest): AccessDecision | Promise<AccessDecision> {
    const refused = checkPlace(request);
    if (refused) return refused;
    const until = end && { until: end.signal };
    if (!asksForCredentials) return { allow: true, ...until };
    const { headers, visitor } = request;
    const guess = guessOf(headers, rules);
    const waitMs = guess === undefined ? 0 : brake.waitMs(visitor.address, guess);
    if (guess !== undefined && waitMs === 0 && isRight(headers, rules)) {
      brake.right(visitor.address, guess);
      return { allow: true, strip: { headers: ["authorization"] }, ...until };
    }
    const byLink = rules.shareLinks ? visitByLink(request, rules.shareLinks, clock.now()) : "missing";
    if (typeof byLink !== "string") {
      if (byLink.allow && byLink.until) return { ...byLink, until: untilBoth(byLink.until) };
      return byLink;
    }
    const refuseGuess = (): Refused => {
      if (waitMs > 0) return tooManyTries(waitMs);
      if (guess !== undefined) brake.wrong(visitor.address, guess);
      return refuse(byLink);
    };
    if (!webhook) return refuseGuess();
    return webhook.check(request, contentLengthOf(request)).then((outcome) => {
      if (outcome === "genuine") return { allow: true, ...until };
      if (outcome === "too-many-tries") return tooManyTries(brake.waitMs(visitor.address, ""));
      return outcome === "missing" ? refuseGuess() : refuseWebhook(outcome);
    });
  }

  function checkPlace({ visitor, target }: AccessRequest): Refused | undefined {
    if (rules.endsAt !== undefined && clock.now() >= rules.endsAt) return refusal(410, "endpoint-ended");
    if (rules.addresses && !rules.addresses.includes(visitor.address)) return refusal(403, "forbidden");
    if (rules.paths && !rules.paths.includes(target)) return refusal(404, "not-exposed");
    return undefined;
  }

  function refuse(link: "missing" | "ended"): Refused {
    const headers = [
      ...(rules.users ? ["WWW-Authenticate", 'Basic realm="Porthole", charset="UTF-8"'] : []),
      ...(rules.bearerTokens ? ["WWW-Authenticate", 'Bearer realm="Porthole"'] : []),
      ...(link === "ended" ? ["Set-Cookie", forgetShareCookie] : []),
    ];
    if (link === "ended") return refusal(401, "link-ended", headers);
    if (rules.users || rules.bearerTokens) return refusal(401, "unauthorized", headers);
    return refusal(401, rules.shareLinks ? "link-needed" : "bad-signature", headers);
  }

  return {
    check,
    admitsRaw(visitor): RawDecision {
      if (asksForCredentials || rules.paths) return { allow: false };
      if (rules.endsAt !== undefined && clock.now() >= rules.endsAt) return { allow: false };
      if (rules.addresses && !rules.addresses.includes(visitor.address)) return { allow: false };
      return { allow: true, ...(end && { until: end.signal }) };
    },
    summary: summaryOf(rules),
    close: () => end?.cancel(),
  };
}

/** The password or token that a request tries, if the rules know its kind. */
function guessOf(headers: RawHeaders, { users, bearerTokens }: AccessRules): string | undefined {
  const given = users ? authorizationOf(headers, "basic") : undefined;
  return given ?? (bearerTokens ? authorizationOf(headers, "bearer") : undefined);
}

function isRight(headers: RawHeaders, { users, bearerTokens }: AccessRules): boolean {
  return Boolean((users && isUser(headers, users)) || (bearerTokens && isBearer(headers, bearerTokens)));
}

function tooManyTries(waitMs: number): Refused {
  return refusal(429, "too-many-tries", ["Retry-After", String(Math.max(1, Math.ceil(waitMs / 1_000)))]);
}

function refuseWebhook(outcome: Exclude<WebhookOutcome, "genuine" | "missing" | "too-many-tries">): Refused {
  switch (outcome) {
    case "bad-signature":
      return refusal(401, outcome);
    case "body-too-large":
      return refusal(413, outcome);
    case "busy":
      return refusal(503, outcome, ["Retry-After", "10"]);
  }
}

function refusal(
  status: Refused["status"],
  page: NonNullable<Refused["page"]>,
  headers: readonly string[] = [],
): Refused {
  return { allow: false, status, headers: [...headers, "Cache-Control", "no-store"], page };
}

function contentLengthOf({ headers }: AccessRequest): number | undefined {
  const [value] = valuesOf(headers, "content-length");
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function watchEnd(endsAt: number, clock: Clock) {
  const controller = new AbortController();
  let timer: Timer;
  function watch(): void {
    const leftMs = Math.max(endsAt - clock.now(), 0);
    timer = clock.timer(Math.min(leftMs, longestTimerMs), () => {
      if (clock.now() < endsAt) watch();
      else controller.abort(new PortholeError("aborted", "The endpoint was exposed until now"));
    });
  }
  watch();
  return { signal: unlimitedListeners(controller.signal), cancel: () => timer.cancel() };
}

function summaryOf(rules: AccessRules): AccessSummary {
  return {
    credentials: [
      ...(rules.users ? ["basic" as const] : []),
      ...(rules.bearerTokens ? ["bearer" as const] : []),
      ...(rules.shareLinks ? ["share" as const] : []),
      ...(rules.webhook ? [`webhook ${rules.webhook.scheme.text}` as const] : []),
    ],
    addresses: rules.addresses?.texts ?? [],
    paths: rules.paths?.texts ?? [],
    ...(rules.endsAt === undefined ? {} : { endsAt: rules.endsAt }),
  };
}
