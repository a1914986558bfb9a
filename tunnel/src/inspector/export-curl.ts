import { isUtf8 } from "node:buffer";
import { withoutOwnHeaders, type ExportedRequest } from "./export-request.ts";

/** One argument of a program can't be longer on Linux (128 KiB), and nobody pastes more. */
const maxArgumentBytes = 96 * 1024;

/**
 * A command line for bash that sends the request: the same method, target, headers and body, byte for byte, without what curl would add of
 * its own. Everything that a terminal could take for a command of its own is escaped.
 */
export function curlCommand(request: ExportedRequest): string {
  const { method, origin, target, body } = request;
  const headers = withoutOwnHeaders(request.headers, origin);
  const has = (name: string): boolean => headers.some((header) => header.name.toLowerCase() === name);
  const lines = ["curl --globoff --path-as-is"];
  if (method === "HEAD") lines.push("--head");
  else if (method !== (body.length > 0 ? "POST" : "GET")) lines.push(`--request ${quoted(method)}`);
  if (target === "*") lines.push("--request-target '*'");
  for (const { name, value } of headers)
    lines.push(`--header ${quoted(value === "" ? `${name};` : headerBytes(`${name}: ${value}`))}`);
  // curl's own, when the request had none.
  for (const name of ["User-Agent", "Accept", ...(body.length > 0 ? ["Content-Type", "Expect"] : [])])
    if (!has(name.toLowerCase())) lines.push(`--header '${name}:'`);
  if (has("accept-encoding")) lines.push("--compressed");
  const isShort = body.length <= maxArgumentBytes && isUtf8(body) && !body.includes(0);
  if (body.length > 0) lines.push(isShort ? `--data-raw ${quoted(body)}` : "--data-binary @-");
  lines.push(quoted(origin + (target === "*" ? "/" : target)));
  const command = lines.join(" \\\n  ");
  // printf is a part of the shell: its arguments have no bound.
  return body.length === 0 || isShort
    ? command
    : `printf %s '${body.toString("base64")}' | base64 --decode | ${command}`;
}

/** Node shows the bytes of a header as latin1. */
function headerBytes(header: string): Buffer | string {
  return /^[\0-\xff]*$/.test(header) ? Buffer.from(header, "latin1") : header;
}

/** As one word of bash that stands for exactly these bytes. */
function quoted(word: string | Buffer): string {
  const bytes = Buffer.from(word);
  if (!isUtf8(bytes))
    return `$'${[...bytes].map((byte) => (byte < 0x80 ? escapedChar(String.fromCharCode(byte)) : hex(byte))).join("")}'`;
  const text = bytes.toString();
  if (/^[\w./:@%+,=-]+$/.test(text)) return text;
  if (/^[\x20-\x7e\n]*$/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  return `$'${Array.from(text, escapedChar).join("")}'`;
}

/** For a word in `$'...'`. Letters of every script are left as they are; what is invisible or moves the cursor is not. */
function escapedChar(char: string): string {
  if (char === "\\" || char === "'") return `\\${char}`;
  if (char === "\n") return "\\n";
  if (char === "\r") return "\\r";
  if (char === "\t") return "\\t";
  if (/^[ \p{L}\p{N}\p{P}\p{S}]$/u.test(char)) return char;
  return [...Buffer.from(char)].map((byte) => hex(byte)).join("");
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
