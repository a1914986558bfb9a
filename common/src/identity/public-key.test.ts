import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { checkGrant, formatGrant, grantText, maxDelegationMs, readDelegation, readGrant } from "./delegation.ts";
import { readKeyProof } from "./key-proof.ts";
import { generateKey } from "./key.ts";
import { checkedSignature, readPublicKey } from "./public-key.ts";

const link = { fingerprint: generateKey().fingerprint, challenge: "01".repeat(32) };
const now = 1_700_000_000_000;
const until = now + 1_000;
const text = grantText(link.fingerprint, until);

describe("a public key", () => {
  it("is the same as PEM, as base64 and as bytes", () => {
    const key = generateKey();
    const der = key.publicKey.export({ type: "spki", format: "der" });
    const pem = key.publicKey.export({ type: "spki", format: "pem" }).toString();
    for (const given of [pem, der.toString("base64"), der.toString("base64url"), der, new Uint8Array(der)])
      assert.equal(readPublicKey(given, "it").fingerprint, key.fingerprint);
  });

  for (const namedCurve of ["P-256", "P-384"])
    it(`of ${namedCurve} takes signatures in either form, whatever zeros r and s begin with`, () => {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
      const key = readPublicKey(publicKey.export({ type: "spki", format: "der" }), "it");
      // One of 256 numbers begins with a zero byte, and half of them with a bit that DER has to hide.
      for (let round = 0; round < 600; round++) {
        const each = grantText(link.fingerprint, until + round);
        const plain = sign("sha256", Buffer.from(each), { key: privateKey, dsaEncoding: "ieee-p1363" });
        const grant = formatGrant(key, checkedSignature(key, each, plain), until + round);
        assert.equal(readGrant(grant, link.fingerprint).by.fingerprint, key.fingerprint);
      }
    });
});

describe("a grant", () => {
  const key = generateKey();
  const signature = checkedSignature(key, text, sign("sha256", Buffer.from(text), key.privateKey));
  const good = formatGrant(key, signature, until);
  const [spki = ""] = good.split(".");

  it("is a proof for every link of that key, and a delegation", () => {
    for (const challenge of ["01", "02"].map((each) => each.repeat(32))) {
      const proven = readKeyProof(good, { ...link, challenge });
      assert.deepEqual([proven.fingerprint, proven.until, proven.extension], [key.fingerprint, until, undefined]);
    }
    assert.equal(readDelegation(good, link.fingerprint, now).fingerprint, key.fingerprint);
  });

  it("ends, and may not be for years", () => {
    assert.throws(() => readDelegation(good, link.fingerprint, until), { code: "unauthorized" });
    checkGrant({ until: now + maxDelegationMs }, now);
    for (const far of [now + maxDelegationMs * 2, 999_999_999_999_999])
      assert.throws(() => checkGrant({ until: far }, now), { code: "unauthorized" });
  });

  const bad: readonly [string, string][] = [
    ["for another end", formatGrant(key, signature, until + 1)],
    ["for no end", formatGrant(key, signature, Number.NaN)],
    ["for an end that is no number", `${spki}.${signature}.0x1`],
    ["for an empty end", `${spki}.${signature}.`],
    ["of another key", formatGrant(generateKey(), signature, until)],
    ["with no signature", `${spki}..${until}`],
    ["with no key", `.${signature}.${until}`],
  ];
  for (const [what, grant] of bad)
    it(`${what} is refused`, () => {
      assert.throws(() => readGrant(grant, link.fingerprint), { code: "protocol" });
      assert.throws(() => readKeyProof(grant, link), { code: "protocol" });
    });

  it("for another key of this machine is refused", () =>
    assert.throws(() => readKeyProof(good, { ...link, fingerprint: generateKey().fingerprint }), { code: "protocol" }));
});
