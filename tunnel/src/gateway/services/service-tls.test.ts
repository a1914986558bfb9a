import assert from "node:assert/strict";
import type { TLSSocket } from "node:tls";
import { judgeCertificate } from "./service-tls.ts";

describe("a service's certificate", () => {
  /** As Node has it after the handshake. */
  const socket = (code?: string): TLSSocket =>
    ({ authorized: code === undefined, authorizationError: code === undefined ? null : { code } }) as never;
  const judge = (
    address: string | undefined,
    trust?: { readonly ca?: string; readonly insecure?: boolean },
    code?: string,
  ): string | undefined => judgeCertificate(socket(code), { text: "https://x", address, trust });

  it("of a CA is accepted from everywhere", () => assert.equal(judge("203.0.113.1"), undefined));

  it("of no CA is accepted from this machine and from private networks", () => {
    for (const address of ["127.0.0.1", "::1", "10.1.2.3", "::ffff:192.168.1.1", "fe80::1%eth0", undefined])
      assert.equal(judge(address, undefined, "DEPTH_ZERO_SELF_SIGNED_CERT"), "it is self-signed", address);
    for (const address of ["203.0.113.1", "2001:db8::1", "::ffff:203.0.113.1", "172.32.0.1"])
      assert.throws(() => judge(address, undefined, "DEPTH_ZERO_SELF_SIGNED_CERT"), { code: "untrusted" }, address);
  });

  it("of no CA is accepted from nowhere once CAs are named", () =>
    assert.throws(() => judge("127.0.0.1", { ca: "pem" }, "CERT_HAS_EXPIRED"), {
      code: "untrusted",
      message: "The certificate of https://x is not trusted: it has expired",
    }));

  it("is accepted from everywhere where any is", () =>
    assert.equal(judge("203.0.113.1", { insecure: true }, "CERT_HAS_EXPIRED"), "it has expired"));
});
