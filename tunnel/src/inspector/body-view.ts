import { isUtf8 } from "node:buffer";
import { decodeContent } from "./content-decoder.ts";
import { fieldsOf } from "./redact-fields.ts";
import type { Redactor } from "./redactor.ts";
import type { BodyQuery } from "./queries.ts";
import type { BodyInfo, BodyView } from "./views.ts";

/** Largest size of a body that is decompressed for display. */
const maxDecodedBytes = 8 * 1024 * 1024;
const maxSlice = 1024 * 1024;

/** A body that has been decoded and, where it is text, read. */
export interface ReadBody {
  readonly format: BodyView["format"];
  readonly decoding: BodyView["decoding"];
  readonly bytes: Buffer;
  /** Redacted unless asked for otherwise. Absent for images and binary data. */
  readonly text?: string;
}

export async function readBody(kept: Buffer, info: BodyInfo, redactor: Redactor | undefined): Promise<ReadBody> {
  const { bytes, outcome } = await decodeContent(kept, info.contentEncoding, maxDecodedBytes);
  const format = outcome === "unknown" ? "binary" : formatOf(bytes, info.contentType);
  if (format === "none" || format === "image" || format === "binary") return { format, decoding: outcome, bytes };
  const text = textOf(bytes, info.contentType, format);
  return { format, decoding: outcome, bytes, text: redactor ? redactor.body(text, format, info.contentType) : text };
}

export function bodyViewOf(body: ReadBody, info: BodyInfo, query: BodyQuery, redactor: Redactor): BodyView {
  const offset = Math.max(0, Math.trunc(query.offset ?? 0));
  const limit = Math.min(maxSlice, Math.max(1, Math.trunc(query.limit ?? maxSlice)));
  const end = offset + limit;
  const size = body.text?.length ?? body.bytes.length;
  const isForm = body.format === "form" || body.format === "multipart";
  const secrets = query.unredacted ? () => false : redactor.isSecret;
  return {
    info,
    format: body.format,
    decoding: body.decoding,
    decodedBytes: body.bytes.length,
    ...(body.text === undefined
      ? body.format !== "none" && { base64: body.bytes.subarray(offset, end).toString("base64") }
      : { text: body.text.slice(offset, end) }),
    ...(end < size && { nextOffset: end }),
    ...(isForm && body.text !== undefined && { fields: fieldsOf(body.text, info.contentType, secrets) }),
    redacted: !query.unredacted,
  };
}

function formatOf(bytes: Buffer, contentType: string): BodyView["format"] {
  if (bytes.length === 0) return "none";
  const type = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (/^image\/(?!svg)/.test(type)) return "image";
  if (/[/+]json$|^application\/(x-ndjson|jsonl|graphql-response\+json)$/.test(type)) return "json";
  if (type === "application/x-www-form-urlencoded") return "form";
  if (type.startsWith("multipart/")) return "multipart";
  if (/^text\/html$|^application\/xhtml\+xml$/.test(type)) return "html";
  if (/[/+]xml$/.test(type)) return "xml";
  if (type === "text/event-stream") return "events";
  if (/^text\/|^application\/(javascript|ecmascript|x-javascript|graphql|toml|yaml|x-yaml|x-sh|sql)$/.test(type))
    return "text";
  if (!looksLikeText(bytes)) return "binary";
  return /^\s*[{[]/.test(bytes.toString("latin1", 0, 64)) ? "json" : "text";
}

/** Whether a body of unknown type is text: UTF-8 without the bytes that no text has. */
function looksLikeText(bytes: Buffer): boolean {
  // The beginning may end within a character.
  const start = bytes.subarray(0, 4_096);
  const whole = [0, 1, 2, 3].some((cut) => isUtf8(start.subarray(0, start.length - cut)));
  // Tab, the ends of lines and pages, and the escape of coloured output.
  return whole && start.every((byte) => byte >= 32 || (byte >= 9 && byte <= 13) || byte === 27);
}

function textOf(bytes: Buffer, contentType: string, format: BodyView["format"]): string {
  // Files within a multipart body keep their bytes that way.
  if (format === "multipart" && !isUtf8(bytes)) return bytes.toString("latin1");
  const label = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
