import { stripVTControlCharacters } from "node:util";

/** Cells that a terminal takes for it. Good enough for columns: no terminal agrees with another on all of Unicode. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of stripVTControlCharacters(text)) width += cellsOf(char);
  return width;
}

/** The text in exactly so many cells: cut with an ellipsis, or filled up. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const own = widthOf(text);
  if (own <= width) return align === "left" ? text + " ".repeat(width - own) : " ".repeat(width - own) + text;
  if (width < 1) return "";
  let result = "";
  let used = 0;
  for (const char of text) {
    const cells = cellsOf(char);
    if (used + cells > width - 1) break;
    result += char;
    used += cells;
  }
  return `${result}…${" ".repeat(width - 1 - used)}`;
}

function cellsOf(char: string): number {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/\p{M}/u.test(char)) return 0;
  return isWide(code) || /\p{Emoji_Presentation}/u.test(char) ? 2 : 1;
}

/** Scripts of East Asia (Unicode, East Asian Width). */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}
