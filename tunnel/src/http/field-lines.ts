/** Fields that one head may have. Node and nginx allow about as many. */
export const maxFields = 2_000;

// One expression for each line is as fast as Node's parser in C, see docs/decisions/http-tap.md. It is linear: the classes don't overlap.
const fieldLine = /([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)\r\n/y;
const blank = /[\t ]/;

/**
 * Reads field lines strictly (RFC 9112 section 5): no folding, no blank before the colon, no control characters, CRLF only. `text` ends with
 * the empty line. Returns names and values in turn, or the status that refuses them.
 */
export function readFieldLines(text: string, from: number): string[] | 400 | 431 {
  const fields: string[] = [];
  const end = text.length - 2;
  fieldLine.lastIndex = from;
  while (fieldLine.lastIndex < end) {
    const match = fieldLine.exec(text);
    if (!match) return 400;
    if (fields.length >= 2 * maxFields) return 431;
    const [, name = "", value = ""] = match;
    fields.push(name, blank.test(value.charAt(value.length - 1)) ? trimBlanksAtEnd(value) : value);
  }
  return fields;
}

/**
 * Reads field lines as browsers and curl do, who take far more than the RFC allows: blanks before the colon and folded lines are mended, any
 * byte may stand in a name or a value, and a line without a colon is no field. Returns names and values in turn.
 */
export function readLenientFieldLines(text: string, from: number): string[] {
  const strict = readFieldLines(text, from);
  if (typeof strict !== "number") return strict;
  const fields: string[] = [];
  for (let start = from; start < text.length;) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 ? text.length : feed;
    const line = text.slice(start, text.charCodeAt(end - 1) === 13 && end > start ? end - 1 : end);
    start = end + 1;
    if (line === "") continue;
    if (blank.test(line.charAt(0)) && fields.length > 0) {
      const folded = trimBlanks(line);
      fields[fields.length - 1] = `${fields.at(-1) ?? ""} ${folded}`.trim();
      continue;
    }
    const colon = line.indexOf(":");
    const name = trimBlanks(line.slice(0, Math.max(colon, 0)));
    if (name !== "") fields.push(name, trimBlanks(line.slice(colon + 1).replace(unsendable, " ")));
  }
  return fields;
}

// A carriage return within a line would be the end of it for the next reader.
const unsendable = /\r/g;

function trimBlanks(text: string): string {
  let start = 0;
  while (start < text.length && isBlank(text, start)) start++;
  return trimBlanksAtEnd(text.slice(start));
}

/** Not by a regular expression: `/[\t ]+$/` takes quadratic time on a value full of blanks. */
function trimBlanksAtEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text, end - 1)) end--;
  return text.slice(0, end);
}

function isBlank(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return code === 32 || code === 9;
}
