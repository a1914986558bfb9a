import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { PortholeError } from "../errors.ts";
import { decodeProxyHeader, encodeProxyHeader, type ProxyHeader, type SocketAddress } from "./proxy-header.ts";

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly header?: Partial<ProxyHeader>;
  readonly error?: string;
  /** Our encoder writes exactly these bytes. */
  readonly encode?: boolean;
}

const vectors = JSON.parse(
  readFileSync(new URL("../../testdata/proxy-headers.json", import.meta.url), "utf8"),
) as Vector[];
const address: SocketAddress = { address: "192.0.2.1", port: 1 };

describe("PROXY protocol v2", () => {
  for (const { name, hex, header, error, encode } of vectors) {
    const bytes = Buffer.from(hex, "hex");
    if (header) {
      it(`reads: ${name}`, () => {
        const following = Buffer.concat([bytes, Buffer.from("what follows")]);
        const expected = { header: { source: undefined, destination: undefined, ...header }, length: bytes.length };
        assert.deepEqual(decodeProxyHeader(following), expected);
        for (let end = 0; end < bytes.length; end++)
          assert.equal(decodeProxyHeader(bytes.subarray(0, end)), undefined, `cut at ${end}`);
      });
    } else {
      it(`refuses: ${name}`, () => {
        assert.throws(
          () => decodeProxyHeader(bytes),
          (thrown: PortholeError) => thrown.code === error,
        );
      });
    }
    if (encode)
      it(`writes: ${name}`, () => {
        const { source, destination, ...rest } = header as ProxyHeader;
        assert.ok(source && destination);
        assert.equal(encodeProxyHeader({ source, destination, ...rest }).toString("hex"), hex);
      });
  }

  it("drops the zone of a link-local address", () => {
    const bytes = encodeProxyHeader({ source: { address: "fe80::1%eth0", port: 7 }, destination: address });
    assert.deepEqual(decodeProxyHeader(bytes)?.header.source, { address: "fe80::1", port: 7 });
  });

  it("refuses to write what it would refuse to read", () => {
    const internal = { code: "internal" };
    const source = address;
    assert.throws(() => encodeProxyHeader({ source, destination: { address: "example.com", port: 1 } }), internal);
    assert.throws(() => encodeProxyHeader({ source, destination: address, uniqueId: "x".repeat(129) }), internal);
    assert.throws(() => encodeProxyHeader({ source, destination: address, uniqueId: "a b" }), internal);
    assert.throws(() => encodeProxyHeader({ source, destination: address, authority: "a_b" }), internal);
  });
});
