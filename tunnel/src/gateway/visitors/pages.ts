import { createHash } from "node:crypto";
import type { AccessPage } from "../../access/index.ts";
import { valueOf, type RawHeaders } from "../../http/index.ts";

/** Responses of the gateway itself. A stranger learns no port, no path and no name of a program. */
export type PageKind =
  | AccessPage
  | "bad-request"
  | "misdirected"
  | "request-timeout"
  | "too-large"
  | "unsupported"
  | "service-down"
  | "service-broke"
  | "paused"
  | "internal";

interface PageText {
  readonly title: string;
  readonly text: string;
  /** It comes back by itself as soon as there is something else to see: says so on the page. */
  readonly reloads?: string;
}

const pages: Readonly<Record<PageKind, PageText>> = {
  unauthorized: {
    title: "Sign in",
    text: "This address is protected. Your browser or program has to say who you are.",
  },
  "link-needed": { title: "You need a link", text: "Ask the person who runs this site for one." },
  "link-ended": { title: "This link has ended", text: "Ask the person who gave it to you for a new one." },
  "bad-signature": { title: "Signature not accepted", text: "The signature is missing, wrong or too old." },
  forbidden: { title: "Not from here", text: "This address is not open to your network." },
  "not-exposed": { title: "Not found", text: "There is nothing at this path." },
  "endpoint-ended": { title: "No longer here", text: "This address was open for a limited time, which is over." },
  "body-too-large": { title: "Too large", text: "The body of this request is larger than what can be checked." },
  "too-many-tries": {
    title: "Too many wrong tries",
    text: "Wrong passwords have come from your network. Wait a while before you try again.",
  },
  busy: { title: "Busy", text: "Too much is going on at once. Try again in a moment." },
  "bad-request": { title: "Bad request", text: "This request is not valid HTTP." },
  misdirected: { title: "Wrong name", text: "The request asks for a name that is not served here." },
  "request-timeout": { title: "Too slow", text: "The request did not arrive in time." },
  "too-large": { title: "Too large", text: "The head of this request is larger than what is accepted." },
  unsupported: { title: "Not supported", text: "This kind of request is not supported here." },
  "service-down": {
    title: "Nothing is running here right now",
    text: "The tunnel works, but the server behind it is not running.",
    reloads: "This page reloads as soon as it is.",
  },
  "service-broke": {
    title: "No proper answer",
    text: "The server behind this address broke off before it had answered, or answered something else than HTTP.",
  },
  paused: {
    title: "Paused",
    text: "The owner has paused this address for a while.",
    reloads: "This page reloads when it is back.",
  },
  internal: { title: "Something went wrong", text: "The tunnel could not handle this request." },
};

/** Marks an answer as ours, for the script of a page that waits. */
const mark = "Porthole-Page";
const waiting = Object.entries(pages).flatMap(([kind, { reloads }]) => (reloads ? [kind] : []));
/** Runs in the browser, which no event tells that the service is there again, so it asks once a second. */
const script = `(async () => {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    try {
      const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", headers: { "${mark}": "wait" } });
      if (!${JSON.stringify(waiting)}.includes(answer.headers.get("${mark}"))) return location.reload();
    } catch {}
  }
})()`;
const scriptHash = createHash("sha256").update(script).digest("base64");

/** Tells whether a page of ours that waits has sent the request, and `kind` tells it to wait on. */
export function isOwnPoll(
  { method, headers }: { readonly method: string; readonly headers: RawHeaders },
  kind: PageKind,
): boolean {
  return method === "HEAD" && waiting.includes(kind) && valueOf(headers, mark.toLowerCase()) === "wait";
}

export interface Page {
  readonly headers: string[];
  readonly body: Buffer;
}

/** HTML for who asks for it, JSON for everybody else. */
export function pageFor(
  kind: PageKind,
  request: { readonly method: string; readonly headers: RawHeaders } | undefined,
): Page {
  const { title, text, reloads } = pages[kind];
  const wantsHtml = request !== undefined && /\btext\/html\b/i.test(valueOf(request.headers, "accept") ?? "");
  const waits = request?.method === "GET" ? reloads : undefined;
  const body = Buffer.from(
    wantsHtml ? html(title, text, waits) : `${JSON.stringify({ error: { code: kind, message: text } })}\n`,
  );
  const headers = [
    ...["Content-Type", wantsHtml ? "text/html; charset=utf-8" : "application/json"],
    ...["Content-Length", String(body.length), "Cache-Control", "no-store", mark, kind],
    ...["X-Content-Type-Options", "nosniff", "X-Robots-Tag", "noindex"],
    ...(wantsHtml
      ? [
          "Content-Security-Policy",
          `default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; script-src 'sha256-${scriptHash}'; frame-ancestors 'self'`,
        ]
      : []),
    ...(reloads ? ["Retry-After", "2"] : []),
  ];
  return { headers, body };
}

function html(title: string, text: string, waits: string | undefined): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>${waits ? '\n<noscript><meta http-equiv="refresh" content="3"></noscript>' : ""}
<style>
  body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 16vh auto; padding: 0 1.5rem; color: #1c2733; background: #fff }
  h1 { font-size: 1.6rem; margin-bottom: .3em }
  @media (prefers-color-scheme: dark) { body { background: #12181f; color: #dde5ee } }
</style>
<h1>${title}</h1>
<p${waits ? ' role="status"' : ""}>${waits ? `${text} ${waits}` : text}</p>
${waits ? `<script>${script}</script>\n` : ""}</html>
`;
}
