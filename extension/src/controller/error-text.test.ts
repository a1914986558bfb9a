import assert from "node:assert/strict";
import { errorText, hintText, withoutFlags } from "./error-text.ts";

describe("error texts in the editor", () => {
  for (const [text, expected] of [
    ["The local port is closed. Start it, or choose another one with --local.", "The local port is closed."],
    ["Requests get localhost's headers (--headers transparent turns this off).", "Requests get localhost's headers"],
    ["Use --local.", "Use --local."],
    ["A well-known name -- with a dash", "A well-known name -- with a dash"],
  ] as const)
    it(`writes ${JSON.stringify(text)} without options`, () => assert.equal(withoutFlags(text), expected));

  it("leaves a hint away that is only about the command line", () => {
    assert.equal(hintText("Choose another with --state-dir."), undefined);
    assert.equal(hintText(undefined), undefined);
    assert.equal(hintText("Try again later."), "Try again later.");
    assert.equal(errorText({ message: "Can't write", hint: "Use --state-dir." }), "Can't write");
    assert.equal(errorText({ message: "Can't write.", hint: "Free some space." }), "Can't write. Free some space.");
  });
});
