import type { RawHeaders } from "./exchange.ts";

/** All values of a header, in order. `name` in lower case. */
export function valuesOf(headers: RawHeaders, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2)
    if (headers[index]?.toLowerCase() === name) values.push(headers[index + 1] ?? "");
  return values;
}

/** Its first value. `name` in lower case. */
export function valueOf(headers: RawHeaders, name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2)
    if (headers[index]?.toLowerCase() === name) return headers[index + 1];
  return undefined;
}

/** Names with their values. */
export function pairsOf(headers: RawHeaders): [name: string, value: string][] {
  return Array.from({ length: headers.length / 2 }, (_, i) => [headers[2 * i] ?? "", headers[2 * i + 1] ?? ""]);
}

/** As they stand in a message of HTTP/1. */
export function linesOf(headers: RawHeaders): string {
  return pairsOf(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
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

/**
 * Hands the fields to node:http2, which throws at more than others send: those of one connection are left out, and where a name stands
 * twice that may stand once, the first value of each counts. Pseudo-headers and `host` are the caller's.
 */
export function giveHttp2<T>(headers: RawHeaders, give: (fields: Http2Fields) => T): T {
  const fields = toHttp2(headers);
  try {
    return give(fields);
  } catch (reason) {
    if ((reason as NodeJS.ErrnoException).code !== "ERR_HTTP2_HEADER_SINGLE_VALUE") throw reason;
    return give(singled(fields));
  }
}

/** Names in lower case, several values of one name as a list. */
function toHttp2(headers: RawHeaders): Http2Fields {
  // Of no prototype: a field may be called like a property of every object.
  const fields = Object.create(null) as Http2Fields;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] ?? "").toLowerCase();
    const value = headers[index + 1] ?? "";
    if (hopByHop.has(name) || (name === "te" && value !== "trailers")) continue;
    const present = fields[name];
    if (present === undefined) fields[name] = value;
    else if (Array.isArray(present)) present.push(value);
    else fields[name] = [present, value];
  }
  return fields;
}

function singled(fields: Http2Fields): Http2Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      Array.isArray(value) && name !== "set-cookie" ? (value[0] ?? "") : value,
    ]),
  );
}

/** Headers of an HTTP/2 message as they came, without the pseudo-headers. */
export function fromHttp2(fields: Readonly<Record<string, string | number | string[] | undefined>>): string[] {
  const headers: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.push(name, String(one));
  }
  return headers;
}
