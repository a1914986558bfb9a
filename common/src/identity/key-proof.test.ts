import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createCertificate } from "./certificate.ts";
import { delegate } from "./delegation.ts";
import { generateKey, parseKey, type IdentityKey } from "./key.ts";
import { proveKey, readKeyProof } from "./key-proof.ts";
import { signText } from "./sign-text.ts";

const link = { fingerprint: generateKey().fingerprint, challenge: "01".repeat(32) };

function certificateOf(key: IdentityKey): string {
  return createCertificate({ key, dnsNames: [], notBefore: new Date(), days: 1, extension: Buffer.from("me") }).pem;
}

function keyOf(kind: string): IdentityKey {
  const pair =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : kind === "ed25519"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("ec", { namedCurve: kind });
  return parseKey(pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), "test");
}

describe("a proof of a key", () => {
  for (const kind of ["P-256", "P-384", "ed25519", "rsa"]) {
    it(`of kind ${kind} says whose it is, and has its extension`, () => {
      const key = keyOf(kind);
      const peer = readKeyProof(proveKey(key, certificateOf(key), link), link);
      assert.deepEqual([peer.fingerprint, peer.extension?.toString()], [key.fingerprint, "me"]);
    });
  }

  const key = generateKey();
  const thief = generateKey();
  const good = proveKey(key, certificateOf(key), link);
  const [certificate = "", signature = ""] = good.split(".");
  const text = `porthole name 1\n${link.fingerprint}\n${link.challenge}\n`;
  const bad: readonly [string, string][] = [
    ["for a link of another key", proveKey(key, certificateOf(key), { ...link, fingerprint: thief.fingerprint })],
    ["for another link of the same key", proveKey(key, certificateOf(key), { ...link, challenge: "02".repeat(32) })],
    ["signed by another key", `${certificate}.${signText(thief, text)}`],
    ["with another key's certificate", `${proveKey(thief, certificateOf(thief), link).split(".")[0]}.${signature}`],
    ["that is a delegation", `${certificate}.${delegate(key, link.fingerprint).split(".")[1]}`],
    ["of half a text", `${certificate}.${signText(key, text.slice(0, -1))}`],
    ["without a signature", certificate],
    ["with an empty signature", `${certificate}.`],
    ["with more behind it", `${good}.x`],
    ["of a certificate that is none", `abc.${signature}`],
    ["that is empty", ""],
  ];
  for (const [what, proof] of bad)
    it(`${what} is refused`, () =>
      assert.throws(() => readKeyProof(proof, link), { name: "PortholeError", code: "protocol" }));
});
