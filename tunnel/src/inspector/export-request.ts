import type { Header } from "./views.ts";

/** A request as an export writes it down: redacted already, unless the user wanted otherwise. */
export interface ExportedRequest {
  readonly method: string;
  /** Origin of the URL: https://name:port. */
  readonly origin: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

/** A client writes these itself, from the URL and the body. */
const ownHeaders = [
  "host",
  "content-length",
  "transfer-encoding",
  "connection",
  "proxy-connection",
  "keep-alive",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "http2-settings",
];

export function withoutOwnHeaders(headers: readonly Header[], origin: string): Header[] {
  return headers.filter(({ name, value }) => {
    const lower = name.toLowerCase();
    // Another Host than the URL's is a part of the request.
    if (lower === "host") return value.toLowerCase() !== new URL(origin).host;
    return !ownHeaders.includes(lower);
  });
}
