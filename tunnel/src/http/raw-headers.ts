import type { RawHeaders } from "./exchange.ts";

/** All values of a header, in order. `name` in lower case. */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2)
    if (isCalled(headers[index], name)) values.push(headers[index + 1] ?? "");
  return values;
}

/** Returns the first value of a field. `name` is in lower case. */
export function valueOf(headers: RawHeaders, name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2)
    if (isCalled(headers[index], name)) return headers[index + 1];
  return undefined;
}

/** Fields of one connection only (RFC 9110 7.6.1), and how HTTP/1 frames a body. HTTP/2 has none of them (RFC 9113 8.2.2). */
export const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

export type Http2Fields = Record<string, string | string[]>;

/** Fields that node:http2 refuses to send more than once. Newer versions have an option for it; Node 20 has none. */
const singleValued: ReadonlySet<string> = new Set([
  ...["access-control-allow-credentials", "access-control-max-age", "access-control-request-method", "age"],
  ...["authorization", "content-encoding", "content-language", "content-length", "content-location", "content-md5"],
  ...[
    "content-range",
    "content-type",
    "date",
    "dnt",
    "etag",
    "expires",
    "from",
    "host",
    "if-match",
    "if-modified-since",
  ],
  ...["if-none-match", "if-range", "if-unmodified-since", "last-modified", "location", "max-forwards"],
  ...["proxy-authorization", "range", "referer", "retry-after", "tk", "upgrade-insecure-requests", "user-agent"],
  "x-content-type-options",
]);
/** Those of them that are lists: their values may stand in one field. */
const listValued: ReadonlySet<string> = new Set(["content-encoding", "content-language"]);
const token = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const control = /[^\t\x20-\x7e\x80-\xff]/g;

/**
 * Fields as node:http2 takes them: names in lower case, several values of one name as a list. Left out is what HTTP/2 can't carry (RFC 9113
 * section 8.2): fields of one connection, and names that are no token. Of a field that may stand once the first value counts; control
 * characters become spaces. Pseudo-headers are the caller's.
 */
export function toHttp2(headers: RawHeaders): Http2Fields {
  // Without a prototype: a field may be called like a property of every object.
  const fields = Object.create(null) as Http2Fields;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] ?? "").toLowerCase();
    const value = (headers[index + 1] ?? "").replace(control, " ");
    if (hopByHop.has(name) || (name === "te" && value !== "trailers") || !token.test(name)) continue;
    const present = fields[name];
    if (present === undefined) fields[name] = value;
    else if (singleValued.has(name)) {
      if (listValued.has(name)) fields[name] = `${String(present)}, ${value}`;
    } else if (Array.isArray(present)) present.push(value);
    else fields[name] = [present, value];
  }
  return fields;
}

/** Fields of an HTTP/2 message as they came (`rawHeaders` of node:http2), without the pseudo-headers and `host`. */
export function fromHttp2(raw: readonly string[]): string[] {
  const headers: string[] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    if (!name.startsWith(":") && name !== "host") headers.push(name, raw[index + 1] ?? "");
  }
  return headers;
}

/** Whether there is such a field, with a value that fits. `name` in lower case. */
export function hasValue(headers: RawHeaders, name: string, pattern?: RegExp): boolean {
  for (let index = 0; index + 1 < headers.length; index += 2)
    if (isCalled(headers[index], name) && (!pattern || pattern.test(headers[index + 1] ?? ""))) return true;
  return false;
}

/** Most names differ in their length. */
function isCalled(name: string | undefined, lower: string): boolean {
  return name !== undefined && name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}
