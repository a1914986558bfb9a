import type { AccessDecision, AccessRequest } from "./policy.ts";
import { valuesOf } from "../http/index.ts";
import { cookiesOf } from "./headers.ts";
import type { ShareLinks } from "./share-links.ts";
import { withoutParameters } from "./strip.ts";

/** The query parameter of a share link. */
const shareParameter = "porthole-share";
/** The prefix makes browsers take it only over TLS, for exactly this name. */
export const shareCookie = "__Host-porthole-share";
/** The life of a cookie for a link without an end; revoking ends it all the same. */
const cookieDays = 30;

const strip = { query: [shareParameter], cookies: [shareCookie] } as const;

/** Decides about a visit by a share link or the cookie that it set. Returns `missing` without either, and `ended` when the link is over. */
export function visitByLink(
  request: AccessRequest,
  links: ShareLinks,
  now: number,
): AccessDecision | "missing" | "ended" {
  const given = parameterOf(request.target);
  const opened = given === undefined ? undefined : links.find(given);
  if (given !== undefined && opened) {
    const cookie = setCookie(given, opened.link.endsAt, now);
    if (!isNavigation(request)) return { allow: true, strip, setCookies: [cookie], until: opened.until };
    // Out of the address bar, the history and what other sites see as the referrer.
    return { allow: false, status: 303, headers: redirectHeaders(request.target, cookie) };
  }
  const cookies = cookiesOf(request.headers, shareCookie);
  for (const token of cookies) {
    const known = links.find(token);
    if (known) return { allow: true, strip, until: known.until };
  }
  return given === undefined && cookies.length === 0 ? "missing" : "ended";
}

export const forgetShareCookie = `${shareCookie}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`;

/** The public URL with the token in it. */
export function shareUrl(publicUrl: string, token: string): string {
  const url = new URL(publicUrl);
  url.searchParams.set(shareParameter, token);
  return url.href;
}

function parameterOf(target: string): string | undefined {
  const start = target.indexOf("?");
  const parts = start < 0 ? [] : target.slice(start + 1).split("&");
  return parts.find((part) => part.startsWith(`${shareParameter}=`))?.slice(shareParameter.length + 1);
}

/** A person with a browser, who can be sent on; a program may not follow. */
function isNavigation({ method, headers }: AccessRequest): boolean {
  return (
    (method === "GET" || method === "HEAD") && valuesOf(headers, "accept").some((value) => value.includes("text/html"))
  );
}

function redirectHeaders(target: string, cookie: string): string[] {
  const rest = withoutParameters(target, [shareParameter]);
  // "//name/" would lead to another host, and browsers take a backslash for a slash.
  const location = /^\/[\\/]/.test(rest) ? `/.${rest}` : rest;
  return ["Location", location, "Set-Cookie", cookie, "Cache-Control", "no-store", "Referrer-Policy", "no-referrer"];
}

function setCookie(token: string, endsAt: number | undefined, now: number): string {
  const seconds = endsAt === undefined ? cookieDays * 86_400 : Math.ceil((endsAt - now) / 1_000);
  return `${shareCookie}=${token}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`;
}
