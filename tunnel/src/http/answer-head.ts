import type { RawHeaders } from "./exchange.ts";
import { readLenientFieldLines } from "./field-lines.ts";
import { hasValue, valuesOf } from "./raw-headers.ts";
import type { Framing } from "./request-head.ts";

export interface Http1AnswerHead {
  readonly status: number;
  /** As the service wrote it; may be empty. */
  readonly statusText: string;
  readonly headers: RawHeaders;
  readonly framing: Framing;
  /** Codings of the transfer besides `chunked`, which the bytes of the body still have. */
  readonly codings: string;
  /** Whether the service keeps the connection for another request. */
  readonly isKept: boolean;
}

const noBody: Framing = { kind: "none" };
const chunked: Framing = { kind: "chunked" };
const untilClose: Framing = { kind: "until-close" };
// SHOUTcast servers say ICY, and browsers take it.
const statusLine = /^(?:HTTP\/(\d)(?:\.(\d+))?|ICY)[\t ]+(\d{3})(?:[\t ]+([^\r\n]*))?[\t ]*\r?\n/i;

/**
 * Reads an answer's head as browsers and curl do. The service is the user's own, so whatever they can show without a tunnel is passed on;
 * undefined where they don't know either what is meant. `text` ends with the empty line.
 */
export function parseAnswerHead(text: string, isForHead: boolean): Http1AnswerHead | undefined {
  const line = statusLine.exec(text);
  if (!line) return undefined;
  const [all, major = "1", minor = "1", code = "", reason = ""] = line;
  const status = Number(code);
  if (status < 100) return undefined;
  // A NUL ends a value for some readers, and not for others.
  if (text.includes("\0")) return undefined;
  const headers = readLenientFieldLines(text, all.length);
  const isOld = major === "1" && Number(minor) === 0;
  const body = bodyOf(headers);
  if (!body) return undefined;
  const framing = isForHead || status < 200 || status === 204 || status === 304 ? noBody : body.framing;
  const isKept = framing.kind !== "until-close" && isKeptBy(headers, isOld);
  const statusText = reason === "" ? reason : reason.replace(/[\0\r]/g, " ").trimEnd();
  return { status, statusText, headers: body.headers, framing, codings: body.codings, isKept };
}

function isKeptBy(headers: RawHeaders, isOld: boolean): boolean {
  if (!hasValue(headers, "connection")) return !isOld;
  const connection = valuesOf(headers, "connection").join(",").toLowerCase();
  return (isOld ? /\bkeep-alive\b/ : /^(?!.*\bclose\b)/s).test(connection);
}

interface AnswerBody {
  readonly framing: Framing;
  readonly codings: string;
  readonly headers: string[];
}

/** Undefined when lengths contradict one another: nobody could say where the answer ends. */
function bodyOf(headers: string[]): AnswerBody | undefined {
  const length = onlyLength(headers);
  if (length === undefined) return unusualBodyOf(headers);
  return { framing: length === 0 ? noBody : { kind: "sized", bytes: length }, codings: "", headers };
}

/** Most answers have one length and no coding. */
function onlyLength(headers: RawHeaders): number | undefined {
  let length: string | undefined;
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (name.length === 17 && name.toLowerCase() === "transfer-encoding") return undefined;
    if (name.length !== 14 || name.toLowerCase() !== "content-length") continue;
    if (length !== undefined) return undefined;
    length = headers[index + 1] ?? "";
  }
  return length !== undefined && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

function unusualBodyOf(headers: string[]): AnswerBody | undefined {
  const codings = valuesOf(headers, "transfer-encoding")
    .flatMap((value) => value.toLowerCase().split(","))
    .map((coding) => coding.trim())
    .filter((coding) => coding !== "" && coding !== "identity");
  // Transfer-Encoding overrides Content-Length (RFC 9112 section 6.3).
  if (codings.length > 0) {
    const others = codings.filter((coding) => coding !== "chunked");
    return {
      framing: codings.includes("chunked") ? chunked : untilClose,
      codings: others.join(", "),
      headers: without(headers, "content-length"),
    };
  }
  const lengths = new Set(
    valuesOf(headers, "content-length")
      .flatMap((value) => value.split(","))
      .map((value) => value.trim().replace(/^0+(?=\d)/, ""))
      .filter((value, _index, all) => value !== "" || all.length === 1),
  );
  if (lengths.size > 1) return undefined;
  const [length] = lengths;
  const others = without(headers, "content-length");
  if (length === undefined) return { framing: untilClose, codings: "", headers: others };
  // Browsers take a length that is none for an absent one.
  if (/^\d{16,}$/.test(length)) return undefined;
  if (!/^\d+$/.test(length)) return { framing: untilClose, codings: "", headers: others };
  const bytes = Number(length);
  const framing: Framing = bytes === 0 ? noBody : { kind: "sized", bytes };
  return { framing, codings: "", headers: hasOne(headers) ? headers : [...others, "Content-Length", String(bytes)] };
}

function hasOne(headers: string[]): boolean {
  const values = valuesOf(headers, "content-length");
  return values.length === 1 && /^\d+$/.test(values[0] ?? "");
}

function without(headers: string[], name: string): string[] {
  const result: string[] = [];
  for (let index = 0; index + 1 < headers.length; index += 2)
    if ((headers[index] ?? "").toLowerCase() !== name) result.push(headers[index] ?? "", headers[index + 1] ?? "");
  return result;
}
