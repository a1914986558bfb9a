import { METHODS } from "node:http";
import type { RawHeaders } from "./exchange.ts";
import { readFieldLines } from "./field-lines.ts";
import { valuesOf } from "./raw-headers.ts";

/** How many bytes follow a head. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "sized"; readonly bytes: number }
  | { readonly kind: "chunked" }
  /** Only in responses: the body ends with the connection. */
  | { readonly kind: "until-close" };

export interface Http1RequestHead {
  readonly httpVersion: "1.0" | "1.1";
  readonly method: string;
  readonly target: string;
  /** Names and values as the visitor wrote them, without the blanks around values. */
  readonly headers: RawHeaders;
  readonly framing: Framing;
}

/** The status that refuses a request which can't be read, or could be read in two ways. */
export type RequestFault = 400 | 413 | 431 | 501 | 505;

const noBody: Framing = { kind: "none" };
const chunked: Framing = { kind: "chunked" };
const requestLine = /([A-Z-]+) ([\x21-\x7e]+) HTTP\/(\d\.\d)\r\n/y;
const knownMethods: ReadonlySet<string> = new Set(METHODS);

/** Returns the status that refuses a head with this beginning, if nothing can mend it: the rest may never come. */
export function faultOfBeginning(text: string): RequestFault | undefined {
  const feed = text.indexOf("\n");
  if (feed < 0) return /^[A-Z-]+(?: [\x21-\x7e]*(?: [HTP/\d.]*)?)?\r?$/.test(text) ? undefined : 400;
  const head = parseRequestHead(`${text.slice(0, feed + 1)}\r\n`);
  return typeof head === "number" ? head : undefined;
}

/**
 * Reads a request's head strictly (RFC 9112): whatever two servers could read differently is refused, because that is how requests are
 * smuggled. `text` ends with the empty line.
 */
export function parseRequestHead(text: string): Http1RequestHead | RequestFault {
  requestLine.lastIndex = 0;
  const line = requestLine.exec(text);
  if (!line) return /^GET [\x21-\x7e]+\r\n/.test(text) ? 505 : 400;
  const [all, method = "", target = "", httpVersion = ""] = line;
  if (!knownMethods.has(method)) return 400;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return httpVersion === "2.0" || httpVersion === "0.9" ? 505 : 400;
  const headers = readFieldLines(text, all.length);
  if (typeof headers === "number") return headers;
  const framing = framingOf(headers, httpVersion);
  return typeof framing === "number" ? framing : { httpVersion, method, target, headers, framing };
}

function framingOf(headers: RawHeaders, httpVersion: "1.0" | "1.1"): Framing | RequestFault {
  let length: string | undefined;
  let isCoded = false;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    // Both names are this long or longer: the others are not looked at twice.
    if (name.length === 14 && name.toLowerCase() === "content-length") {
      if (length !== undefined) return 400;
      length = headers[index + 1] ?? "";
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding") isCoded = true;
  }
  if (isCoded) return length === undefined ? codedFraming(headers, httpVersion) : 400;
  if (length === undefined) return noBody;
  if (!/^\d{1,15}$/.test(length)) return 400;
  const bytes = Number(length);
  return bytes === 0 ? noBody : { kind: "sized", bytes };
}

function codedFraming(headers: RawHeaders, httpVersion: "1.0" | "1.1"): Framing | RequestFault {
  const values = valuesOf(headers, "transfer-encoding");
  // RFC 9112 section 6.1: a server of HTTP/1.0 would not know them.
  if (httpVersion === "1.0" || values.length > 1) return 400;
  const codings = (values[0] ?? "").split(",").map((coding) => coding.trim().toLowerCase());
  const place = codings.indexOf("chunked");
  // RFC 9112 section 6.3: where chunks are not the last coding, nobody knows where the body ends.
  if (place >= 0 && place < codings.length - 1) return 400;
  return codings.length === 1 && place === 0 ? chunked : 501;
}
