import assert from "node:assert/strict";
import { isIP } from "node:net";
import { formatIp, isLoopback, parseIp } from "./ip-address.ts";

describe("IP addresses", () => {
  const same = [
    "0.0.0.0",
    "192.0.2.255",
    "::",
    "::1",
    "1::",
    "2001:db8::1",
    "2001:db8:0:1:1:1:1:1",
    "2001:0:0:1::1",
    "1:2:3:4:5:6:7:8",
    "fe80::1:0:0:1",
    "64:ff9b::c000:201",
  ];
  for (const text of same)
    it(`${text} comes back as it is`, () => {
      const bytes = parseIp(text);
      assert.ok(bytes);
      assert.equal(formatIp(bytes), text);
    });

  const others: readonly [string, string][] = [
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["0:0:0:0:0:FFFF:c000:0201", "192.0.2.1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"],
    ["fe80::1%eth0", "fe80::1"],
  ];
  for (const [text, canonical] of others)
    it(`${text} is ${canonical}`, () => {
      const bytes = parseIp(text);
      assert.ok(bytes);
      assert.equal(formatIp(bytes), canonical);
    });

  const bad = [
    "",
    "1.2.3",
    "1.2.3.256",
    "1.2.3.04",
    "1.2.3.4.5",
    "0x1.2.3.4",
    "1.2.3.4 ",
    "2130706433",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7::8",
    "12345::",
    "g::",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3",
    "[::1]",
    "example.com",
  ];
  for (const text of bad)
    it(`${JSON.stringify(text)} is none`, () => {
      assert.equal(parseIp(text), undefined);
    });

  it("agrees with node:net", () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    const alphabet = "0:1:a:f:.2";
    for (let round = 0; round < 20_000; round++) {
      const text = Array.from({ length: 2 + random(14) }, () => alphabet[random(alphabet.length)]).join("");
      assert.equal(parseIp(text) !== undefined, isIP(text) !== 0, text);
    }
  });
});

describe("isLoopback", () => {
  for (const host of ["127.0.0.1", "127.8.9.1", "::1", "0:0::1", "::ffff:127.0.0.1", "localhost", "x.localhost"])
    it(`${host} is this machine`, () => assert.ok(isLoopback(host)));
  for (const host of ["10.0.0.1", "0.0.0.0", "::", "127.example.com", "localhost.example.com", ""])
    it(`${JSON.stringify(host)} is not`, () => assert.ok(!isLoopback(host)));
});
