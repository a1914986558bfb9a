import assert from "node:assert/strict";
import { canonicalHostName, friendlyName, splitPublicName } from "./host-name.ts";

describe("canonicalHostName", () => {
  const cases: readonly [string, string | undefined][] = [
    ["example.com", "example.com"],
    ["EXAMPLE.Com", "example.com"],
    ["localhost", "localhost"],
    ["xn--kche-0ra.example", "xn--kche-0ra.example"],
    ["a--b.example", "a--b.example"],
    ["1.example", "1.example"],
    [`${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
    [`${"a".repeat(64)}.example`, undefined],
    [`${"a.".repeat(126)}a`, `${"a.".repeat(126)}a`],
    [`${"a.".repeat(126)}ab`, undefined],
    ["", undefined],
    [".", undefined],
    ["example.com.", undefined],
    [".example.com", undefined],
    ["a..b", undefined],
    ["-a.example", undefined],
    ["a-.example", undefined],
    ["a_b.example", undefined],
    ["a b.example", undefined],
    ["*.example.com", undefined],
    ["küche.example", undefined],
    ["\u212aelvin.example", undefined], // KELVIN SIGN, which toLowerCase() turns into k
    ["example.com\n", undefined],
    ["example.com:443", undefined],
    ["192.0.2.1", undefined],
    ["1.2.3", undefined],
    ["0x7f.1", undefined],
    ["example.0x1f", undefined],
    ["2001:db8::1", undefined],
    ["[::1]", undefined],
  ];
  for (const [text, expected] of cases)
    it(`${JSON.stringify(text.slice(0, 40))} is ${expected === undefined ? "not a name" : expected.slice(0, 40)}`, () => {
      assert.equal(canonicalHostName(text), expected);
    });
});

describe("splitPublicName", () => {
  it("divides at the first dot", () => {
    assert.deepEqual(splitPublicName("App.Tunnel.Example.com", []), { label: "app", suffix: "tunnel.example.com" });
  });

  it("takes only exact suffixes", () => {
    const suffixes = ["example.com", "localhost"];
    assert.deepEqual(splitPublicName("a.example.com", suffixes), { label: "a", suffix: "example.com" });
    assert.deepEqual(splitPublicName("a.localhost", suffixes), { label: "a", suffix: "localhost" });
    assert.equal(splitPublicName("b.a.example.com", suffixes), undefined);
    assert.equal(splitPublicName("a.badexample.com", suffixes), undefined);
    assert.equal(splitPublicName("example.com", suffixes), undefined);
    assert.equal(splitPublicName("a.example.com.", suffixes), undefined);
  });

  it("needs a suffix even where any will do", () => {
    assert.equal(splitPublicName("localhost", []), undefined);
    assert.equal(splitPublicName("192.0.2.1", []), undefined);
  });
});

describe("friendlyName", () => {
  const cases: readonly [string, string | undefined][] = [
    ["myapp", "myapp"],
    ["MyApp", "myapp"],
    ["2048", "2048"],
    ["a-b", "a-b"],
    ["a--b", "a--b"],
    ["ab--c", undefined],
    ["xn--kche-0ra", undefined],
    ["a".repeat(63), "a".repeat(63)],
    ["a".repeat(64), undefined],
    ["abcdefghijklmnopqrstuvwxyz", undefined], // could be somebody's client id
    ["abcdefghijklmnopqrstuvwxy1", "abcdefghijklmnopqrstuvwxy1"],
    ["a.b", undefined],
    ["-a", undefined],
    ["a_b", undefined],
    ["", undefined],
    ["*", undefined],
  ];
  for (const [text, expected] of cases) {
    it(`${JSON.stringify(text)} ${expected === undefined ? "can't be one" : `is ${expected}`}`, () =>
      assert.equal(friendlyName(text), expected));
  }
});
