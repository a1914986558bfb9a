import assert from "node:assert/strict";
import { parseHex } from "./hex.ts";

describe("parseHex", () => {
  it("reads whole bytes in either case", () => {
    assert.deepEqual(parseHex("00aAfF"), Buffer.from([0, 0xaa, 0xff]));
  });

  it("refuses everything else, in words that don't repeat it", () => {
    assert.throws(() => parseHex("secret"), { code: "usage", message: 'Character 1 is "s", not a hex digit' });
    assert.throws(() => parseHex("abc"), { code: "usage", message: /^3 hex digits/ });
    assert.throws(() => parseHex(""), { code: "usage" });
  });
});
