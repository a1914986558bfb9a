import { redactedMark } from "./redacted-mark.ts";

const quotedMark = JSON.stringify(redactedMark);

/**
 * JSON with the values of secret names replaced by the mark, however deep, and otherwise unchanged: numbers keep their digits, whitespace its
 * place. Takes what is cut off, several values in a row, and a prefix before the first one.
 */
export function redactJson(text: string, isSecret: (name: string) => boolean): string {
  let result = "";
  let copied = 0;
  let position = 0;
  while (position < text.length) {
    const start = text.indexOf('"', position);
    if (start < 0) break;
    const end = endOfString(text, start);
    position = end;
    const colon = skipSpace(text, end);
    if (text[colon] !== ":" || !isSecret(stringValue(text.slice(start, end)))) continue;
    const value = skipSpace(text, colon + 1);
    const after = endOfValue(text, value);
    if (after === value) continue;
    result += text.slice(copied, value) + quotedMark;
    copied = after;
    position = after;
  }
  return redactQuoted(copied === 0 ? text : result + text.slice(copied), isSecret);
}

/** JSON within a string of JSON, however often it was quoted: \\"password\\":\\"...\\". */
function redactQuoted(text: string, isSecret: (name: string) => boolean): string {
  if (!text.includes('\\"')) return text;
  return text.replace(
    /(?<!\\)(\\{1,7}")([^"\\]{1,100})\1(\s{0,20}:\s{0,20})(?:\1.*?(?<!\\)\1|\1[^"]*$|[^\s,}\]"\\[{]+)/gs,
    (whole, quote: string, name: string, colon: string) =>
      isSecret(name) ? `${quote}${name}${quote}${colon}${quote}${redactedMark}${quote}` : whole,
  );
}

/** The same for text in which JSON may stand somewhere, such as a script in a page: of names and plain values beside them only. */
export function redactLooseJson(text: string, isSecret: (name: string) => boolean): string {
  return text.replace(
    /(["'])([^"'\\\n]{1,100})\1(\s{0,20}:\s{0,20})("(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s,}\]"'<]+)/gs,
    (whole, quote: string, name: string, colon: string) =>
      isSecret(name) ? `${quote}${name}${quote}${colon}${quotedMark}` : whole,
  );
}

/** Behind the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  for (let position = start + 1; position < text.length; position++) {
    if (text[position] === "\\") position++;
    else if (text[position] === '"') return position + 1;
  }
  return text.length;
}

function endOfValue(text: string, start: number): number {
  if (text[start] === '"') return endOfString(text, start);
  if (text[start] !== "{" && text[start] !== "[") {
    let position = start;
    while (position < text.length && !/[\s,\]}]/.test(text[position] ?? "")) position++;
    return position;
  }
  let depth = 0;
  for (let position = start; position < text.length; position++) {
    const char = text[position];
    if (char === '"') position = endOfString(text, position) - 1;
    else if (char === "{" || char === "[") depth++;
    else if (char === "}" || char === "]") depth--;
    if (depth === 0) return position + 1;
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  let position = start;
  while (/[ \t\r\n]/.test(text[position] ?? "")) position++;
  return position;
}

function stringValue(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal.slice(1, -1);
  }
}
