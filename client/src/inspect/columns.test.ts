import assert from "node:assert/strict";
import { fit, widthOf } from "./columns.ts";

describe("columns of a terminal", () => {
  const widths: readonly [string, number][] = [
    ["abc", 3],
    ["日本", 4],
    ["e\u0301", 1],
    ["😀", 2],
    ["\u001b[31mred\u001b[0m", 3],
    ["", 0],
  ];
  for (const [text, width] of widths)
    it(`${JSON.stringify(text)} takes ${width}`, () => assert.equal(widthOf(text), width));

  it("cut what is too long and fill up what is short", () => {
    assert.equal(fit("abc", 5), "abc  ");
    assert.equal(fit("abc", 5, "right"), "  abc");
    assert.equal(fit("abcdef", 4), "abc…");
    assert.equal(fit("日本語", 4), "日… ");
    assert.equal(fit("abc", 0), "");
    for (const width of [1, 2, 3, 4, 5, 6]) assert.equal(widthOf(fit("日本語x", width)), width);
  });
});
