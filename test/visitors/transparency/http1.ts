import type { Field, Inform, SeenAnswer, SeenRequest } from "./messages.ts";

/** How the sender's side of a connection has ended so far. */
export type Ended = "open" | "end" | "reset";

interface Head {
  readonly start: string;
  readonly fields: Field[];
  /** Bytes up to and with the empty line. */
  readonly size: number;
}

interface Body {
  readonly body: string;
  readonly trailers: Field[];
  readonly size: number;
  readonly isWhole: boolean;
}

/**
 * Reads the answer to one request as leniently as curl and browsers do; undefined while it may continue.
 * `text` is everything that came, in latin1.
 */
export function readAnswer(text: string, method: string, ended: Ended): SeenAnswer | undefined {
  const informs: Inform[] = [];
  let rest = text.replace(/^[\r\n]+/, "");
  for (;;) {
    const head = readHead(rest);
    const [, code, reason = ""] =
      /^(?:HTTP\/\d+(?:\.\d+)?|ICY)[ \t]+([1-9]\d\d)(?:[ \t]+(.*))?$/i.exec(head?.start ?? "") ?? [];
    if (!head || code === undefined) {
      if (ended === "open" && !head) return undefined;
      return { informs, status: 0, reason: "", fields: [], body: rest, trailers: [], end: "cut" };
    }
    const status = Number(code);
    rest = rest.slice(head.size);
    if (status >= 100 && status < 200 && status !== 101) {
      informs.push({ status, fields: head.fields });
      continue;
    }
    const { body, trailers, isWhole } = answerBody(rest, method, status, head.fields, ended);
    if (!isWhole && ended === "open") return undefined;
    return { informs, status, reason, fields: head.fields, body, trailers, end: isWhole ? "whole" : "cut" };
  }
}

/** Reads one request; undefined while it may continue. `size` is how many bytes it takes. */
export function readRequest(text: string, isEnded: boolean): { request: SeenRequest; size: number } | undefined {
  const head = readHead(text);
  if (!head) return undefined;
  const [method = "", target = ""] = head.start.split(" ");
  const rest = text.slice(head.size);
  const framing = isChunked(head.fields) ? "chunked" : valueOf(head.fields, "content-length") ? "length" : "none";
  const { body, trailers, size, isWhole } =
    framing === "chunked" ? readChunks(rest) : readLength(rest, Number(valueOf(head.fields, "content-length") ?? 0));
  if (!isWhole && !isEnded) return undefined;
  const request: SeenRequest = {
    ...{ method, target, framing, body, trailers },
    fields: head.fields,
    end: isWhole ? "whole" : "cut",
  };
  return { request, size: head.size + size };
}

export function readHead(text: string): Head | undefined {
  const end = /\n\r?\n/.exec(text);
  if (!end) return undefined;
  const [start = "", ...lines] = text.slice(0, end.index).split("\n").map(withoutReturn);
  return { start, fields: fieldsOf(lines), size: end.index + end[0].length };
}

function withoutReturn(line: string): string {
  return line.replace(/\r+$/, "");
}

function fieldsOf(lines: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (const line of lines) {
    const last = fields.at(-1);
    const colon = line.indexOf(":");
    if (/^[ \t]/.test(line) && last) fields[fields.length - 1] = [last[0], trimmed(`${last[1]} ${trimmed(line)}`)];
    else if (colon > 0) fields.push([line.slice(0, colon).trimEnd(), trimmed(line.slice(colon + 1))]);
  }
  return fields;
}

/** Without optional white space; other bytes that JavaScript takes for white space stay. */
function trimmed(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, "");
}

function answerBody(text: string, method: string, status: number, fields: readonly Field[], ended: Ended): Body {
  if (method === "HEAD" || status === 204 || status === 304) return readLength(text, 0);
  if (status !== 101 && isChunked(fields)) return readChunks(text);
  const length = valueOf(fields, "content-length");
  if (status !== 101 && length !== undefined && /^\d+(?:\s*$|,)/.test(length))
    return readLength(text, Number.parseInt(length, 10));
  return { body: text, trailers: [], size: text.length, isWhole: ended === "end" };
}

function readLength(text: string, length: number): Body {
  return { body: text.slice(0, length), trailers: [], size: length, isWhole: text.length >= length };
}

function readChunks(text: string): Body {
  let at = 0;
  let body = "";
  const broken = (): Body => ({ body, trailers: [], size: text.length, isWhole: false });
  for (;;) {
    const end = text.indexOf("\n", at);
    const size = /^[ \t]*([\da-f]+)(?:[ \t;].*)?\r?$/i.exec(text.slice(at, end))?.[1];
    if (end < 0 || size === undefined) return broken();
    at = end + 1;
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    body += text.slice(at, at + length);
    const lineEnd = /^\r?\n/.exec(text.slice(at + length, at + length + 2));
    if (!lineEnd) return broken();
    at += length + lineEnd[0].length;
  }
  const last = /^(?:[^\n]+\n)*?\r?\n/.exec(text.slice(at));
  if (!last) return broken();
  const lines = last[0].split("\n").map(withoutReturn);
  return { body, trailers: fieldsOf(lines), size: at + last[0].length, isWhole: true };
}

function isChunked(fields: readonly Field[]): boolean {
  return fields.some(([name, value]) => name.toLowerCase() === "transfer-encoding" && /chunked\s*$/i.test(value));
}

function valueOf(fields: readonly Field[], name: string): string | undefined {
  return fields.find(([each]) => each.toLowerCase() === name)?.[1];
}
