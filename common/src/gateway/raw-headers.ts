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

/**
 * As node:http2 takes them: names in lower case, several values of one name as a list. Pseudo-headers and `host` are the caller's.
 */
export function toHttp2(headers: RawHeaders): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = {};
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] ?? "").toLowerCase();
    const value = headers[index + 1] ?? "";
    const present = fields[name];
    if (present === undefined) fields[name] = value;
    else if (Array.isArray(present)) present.push(value);
    else fields[name] = [present, value];
  }
  return fields;
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
