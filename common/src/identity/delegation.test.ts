import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { generateKey, parseKey } from "./key.ts";
import { readDelegation, delegate } from "./delegation.ts";

const other = generateKey();

function keyOf(kind: string) {
  const pair =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : kind === "ed25519"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("ec", { namedCurve: kind });
  return parseKey(pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "test");
}

describe("a delegation", () => {
  for (const kind of ["P-256", "P-384", "ed25519", "rsa"]) {
    it(`by a key of kind ${kind} names who vouches`, () => {
      const owner = keyOf(kind);
      const delegation = delegate(owner, other.fingerprint);
      assert.deepEqual(readDelegation(delegation, other.fingerprint, 0), {
        fingerprint: owner.fingerprint,
        clientId: owner.clientId,
      });
    });
  }

  const owner = generateKey();
  const good = delegate(owner, other.fingerprint);
  const [spki = "", signature = ""] = good.split(".");
  const bad: readonly [string, string][] = [
    ["for another key", delegate(owner, generateKey().fingerprint)],
    ["signed by another key", `${generateKey().spki.toString("base64url")}.${signature}`],
    ["without a signature", spki],
    ["with an empty signature", `${spki}.`],
    ["with more behind it", `${good}.x`],
    ["with an end that is not signed", `${good}.${Date.now()}`],
    ["of a key that is none", `abc.${signature}`],
    ["that is empty", ""],
  ];
  for (const [what, delegation] of bad) {
    it(`${what} is refused`, () =>
      assert.throws(() => readDelegation(delegation, other.fingerprint, 0), {
        name: "PortholeError",
        code: "protocol",
      }));
  }

  it("of a kind of key that can't serve is refused", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-521" });
    const text = publicKey.export({ type: "spki", format: "der" }).toString("base64url");
    assert.throws(() => readDelegation(`${text}.${signature}`, other.fingerprint, 0), { code: "key" });
  });
});
