import assert from "node:assert/strict";
import { visibleJson } from "./visible-json.ts";

describe("JSON for a terminal", () => {
  it("is the same JSON, without what a terminal obeys", () => {
    const value = { "a\u009b31m": ["\u001b[2J\r\n", "\u202e\u2028\u200b\u{e0041}", "ü日😀", 1.5, null] };
    const text = visibleJson(value);
    assert.deepEqual(JSON.parse(text), value);
    assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    assert.ok(text.includes("ü日😀"));
  });

  it("takes what JSON.stringify takes", () => {
    assert.equal(visibleJson({ a: 1 }, { indent: 1 }), '{\n "a": 1\n}');
    assert.equal(visibleJson({ a: 1 }, { replacer: (key, value) => (key === "a" ? 2 : value) }), '{"a":2}');
  });
});
