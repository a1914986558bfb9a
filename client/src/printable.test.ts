import assert from "node:assert/strict";
import { printable, printableLines } from "./printable.ts";

describe("text of strangers in a terminal", () => {
  const cases: readonly [string, string][] = [
    ["plain/path?a=b", "plain/path?a=b"],
    ["Grüße 日本 😀 §", "Grüße 日本 😀 §"],
    ["\u001b[2J\u001b]0;title\u0007", "\\x1b[2J\\x1b]0;title\\x07"],
    ["a\u009b31mb", "a\\x9b31mb"],
    ["a\r\nb\tc", "a\\x0d\\x0ab\\x09c"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["\u2028\u200b\ufeff", "\\u{2028}\\u{200b}\\u{feff}"],
    ["\ud800x", "\\u{d800}x"],
    ["\u007f\u0000", "\\x7f\\x00"],
  ];
  for (const [text, shown] of cases) it(JSON.stringify(text), () => assert.equal(printable(text), shown));

  it("keeps its lines where there are several", () => {
    assert.equal(printableLines("a\r\nb\n\tc\rd\u001b"), "a\nb\n\tc\\x0dd\\x1b");
  });
});
