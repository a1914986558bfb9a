import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import {
  choice,
  durationMs,
  flag,
  formatHostPort,
  friendlyLabel,
  hex,
  hostPort,
  integer,
  path,
  port,
  type Parser,
} from "./parsers.ts";

function table<T>(name: string, parser: Parser<T>, good: readonly [string, T][], bad: readonly string[]): void {
  describe(name, () => {
    for (const [text, value] of good)
      it(`reads ${JSON.stringify(text)}`, () => {
        assert.deepEqual(parser.parse(text), value);
      });
    for (const text of bad)
      it(`refuses ${JSON.stringify(text)}`, () => {
        assert.throws(() => parser.parse(text), { code: "usage" });
      });
  });
}

table(
  "port",
  port,
  [
    ["0", 0],
    ["443", 443],
    ["65535", 65_535],
  ],
  ["", "-1", "65536", "0x10", "1.5", "http", "4 ", "1e3"],
);
table("integer", integer(2, 9), [["2", 2]], ["1", "10", "9999999999999999999"]);
table(
  "flag",
  flag,
  [
    ["true", true],
    ["0", false],
    ["YES", true],
    ["off", false],
  ],
  ["", "maybe", "2"],
);
table("choice", choice("auto", "quic"), [["quic", "quic"]], ["QUIC", "h2", ""]);
table("hex", hex, [["0aFF", Buffer.from([10, 255])]], ["", "0", "0x00", "zz"]);
table(
  "path",
  path,
  [
    ["~/a", join(homedir(), "a")],
    ["a/b", resolve("a/b")],
    ["/a/../b", resolve("/b")],
  ],
  [],
);
table(
  "durationMs",
  durationMs,
  [
    ["500ms", 500],
    ["10s", 10_000],
    ["1.5h", 5_400_000],
    ["30d", 2_592_000_000],
    ["0s", 0],
  ],
  ["", "10", "s", "-1s", "1 s", "1w", "1.s", "1e3s"],
);
table(
  "hostPort with a default",
  hostPort(4433),
  [
    ["relay.example.com", { host: "relay.example.com", port: 4433 }],
    ["Relay.Example.com:1", { host: "relay.example.com", port: 1 }],
    ["192.0.2.1:80", { host: "192.0.2.1", port: 80 }],
    ["[2001:DB8::1]", { host: "2001:db8::1", port: 4433 }],
    ["[::1]:80", { host: "::1", port: 80 }],
    ["[fe80::1%eth0]:80", { host: "fe80::1%eth0", port: 80 }],
    ["localhost:3000", { host: "localhost", port: 3000 }],
  ],
  [
    "",
    ":80",
    "a:",
    "a:0",
    "a:65536",
    "a:b",
    "2001:db8::1",
    "[::1",
    "[::1]80",
    "[1.2.3.4]:1",
    "http://a:1",
    "a:1/x",
    "a b:1",
  ],
);
table("hostPort without a default", hostPort(), [["a:1", { host: "a", port: 1 }]], ["a", "[::1]"]);

table("friendlyLabel", friendlyLabel, [["MyApp", "myapp"]], ["", "a.b", "xn--a"]);

describe("hostPort", () => {
  for (const text of ["a:1", "192.0.2.1:80", "[2001:db8::1]:443"]) {
    it(`can be written again: ${text}`, () => assert.equal(formatHostPort(hostPort().parse(text)), text));
  }

  it("tells how an IPv6 address is written", () => {
    assert.throws(() => hostPort(4433).parse("2001:db8::1"), { message: /in brackets: \[2001:db8::1\]:4433/ });
  });
});
