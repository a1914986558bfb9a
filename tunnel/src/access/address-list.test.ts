import assert from "node:assert/strict";
import { parseAddressList } from "./address-list.ts";

describe("a list of addresses", () => {
  const cases: readonly [readonly string[], string, boolean][] = [
    [["192.0.2.1"], "192.0.2.1", true],
    [["192.0.2.1"], "192.0.2.2", false],
    [["10.0.0.0/8"], "10.255.255.255", true],
    [["10.0.0.0/8"], "11.0.0.0", false],
    [["10.0.0.0/8"], "::ffff:10.1.2.3", true],
    [["::ffff:10.0.0.0"], "10.0.0.0", true],
    [["2001:db8::/32"], "2001:db8:ffff::1", true],
    [["2001:db8::/32"], "2001:db9::1", false],
    [["2001:db8::/32"], "10.0.0.1", false],
    [["0.0.0.0/0"], "203.0.113.9", true],
    [["0.0.0.0/0"], "::1", false],
    [["10.0.0.0/8", "!10.1.0.0/16"], "10.1.0.1", false],
    [["10.0.0.0/8", "!10.1.0.0/16"], "10.2.0.1", true],
    [["!10.1.0.0/16"], "192.0.2.1", true],
    [["!10.1.0.0/16"], "::ffff:a01:5", false],
    [["0.0.0.0/0", "::/0"], "unknown", false],
  ];
  for (const [texts, address, isIn] of cases)
    it(`${texts.join(" ")} ${isIn ? "lets" : "keeps"} ${address} ${isIn ? "in" : "out"}`, () => {
      assert.equal(parseAddressList(texts).includes(address), isIn);
    });

  for (const text of ["", "!", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "example.com", "2001:db8::/129", "10.0.0.0/8/8"])
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseAddressList([text]), { code: "usage", message: new RegExp("not an address") }));
});
