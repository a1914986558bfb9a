import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { parseKey } from "../../identity/index.ts";
import { skipUnless } from "@porthole/testing/skip";
import { assertCertifiable, createCsr } from "./csr.ts";

function keyOf({ privateKey }: { readonly privateKey: KeyObject }) {
  return parseKey(privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "test");
}

describe("certificate signing request", () => {
  const keys = {
    "P-256": () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
    "P-384": () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
    RSA: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  };
  for (const [kind, make] of Object.entries(keys)) {
    it(`OpenSSL verifies one of a ${kind} key`, function () {
      let version = "";
      try {
        version = execFileSync("openssl", ["version"]).toString();
      } catch {
        // It is not there.
      }
      skipUnless(this, version, "openssl is not installed");
      const key = keyOf(make());
      const input = createCsr("abc.tunnel.test", key);
      const text = execFileSync("openssl", ["req", "-verify", "-noout", "-text", "-pubkey"], { input, stdio: "pipe" });
      assert.match(text.toString(), /DNS:abc\.tunnel\.test/);
      assert.ok(text.toString().includes(key.publicKey.export({ type: "spki", format: "pem" }).toString()));
      assert.doesNotMatch(input, /PRIVATE/);
    });
  }

  it("there is none for Ed25519", () => {
    const key = keyOf(generateKeyPairSync("ed25519"));
    assert.throws(() => assertCertifiable(key), { code: "key", hint: /P-256/ });
  });
});
