import assert from "node:assert/strict";
import { decodeProxyLine } from "./proxy-line.ts";

const longest = `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`;

describe("PROXY protocol v1", () => {
  for (const [line, remote, local] of [
    ["PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "192.0.2.1 56324", "198.51.100.2 443"],
    ["PROXY TCP6 2001:db8::1 2001:DB8:0::2 1 2\r\n", "2001:db8::1 1", "2001:db8::2 2"],
    ["PROXY TCP4 192.0.2.1 198.51.100.2 0 0\r\n", "192.0.2.1 0", "198.51.100.2 0"],
    [longest, `${"ffff:".repeat(7)}ffff 65535`, `${"ffff:".repeat(7)}ffff 65535`],
  ] as const) {
    it(`reads: ${JSON.stringify(line)}`, () => {
      const decoded = decodeProxyLine(Buffer.from(`${line}what follows`));
      const show = (end: { address: string; port: number } | undefined) => `${end?.address} ${end?.port}`;
      assert.deepEqual(
        [show(decoded?.addresses?.remote), show(decoded?.addresses?.local), decoded?.length],
        [remote, local, line.length],
      );
      for (let end = 1; end < line.length; end++)
        assert.equal(decodeProxyLine(Buffer.from(line.slice(0, end))), undefined, `cut at ${end}`);
    });
  }

  for (const line of ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"])
    it(`knows no addresses: ${JSON.stringify(line)}`, () =>
      assert.deepEqual(decodeProxyLine(Buffer.from(line)), { addresses: undefined, length: line.length }));

  it("leaves any other beginning to version 2", () => {
    assert.equal(decodeProxyLine(Buffer.from([0x0d, 0x0a])), undefined);
    assert.equal(decodeProxyLine(Buffer.from([0x16, 0x03])), undefined);
    assert.equal(decodeProxyLine(Buffer.alloc(0)), undefined);
  });

  for (const line of [
    "PUT / HTTP/1.1\r\n",
    "PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.2 1 2 3\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n",
    "PROXY TCP4 192.0.2.256 198.51.100.2 1 2\r\n",
    "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
    "PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n",
    "PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n",
    "PROXY UNKNOWNX\r\n",
    "PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n\r\n",
    `PROXY UNKNOWN ${"x".repeat(120)}\r\n`,
  ])
    it(`refuses: ${JSON.stringify(line.slice(0, 60))}`, () =>
      assert.throws(() => decodeProxyLine(Buffer.from(line)), { code: "protocol" }));
});
