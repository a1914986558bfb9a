/**
 * Text of strangers for a terminal, on one line: what moves its cursor, colours it or turns the direction of writing is written out,
 * `\x1b` and `\u{202e}`. Letters of every script stay.
 */
export function printable(text: string): string {
  return escaped(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}]/gu);
}

/** The same for text of several lines: their ends and tabs stay. */
export function printableLines(text: string): string {
  return escaped(text.replaceAll("\r\n", "\n"), /[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}]/gu);
}

function escaped(text: string, unsafe: RegExp): string {
  return text.replace(unsafe, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
}
