import assert from "node:assert/strict";
import type { PortholeError } from "../errors.ts";
import { clientId, fingerprint, isClientId, isFingerprint, parseFingerprint } from "./client-id.ts";

// SHA-256("abc"), FIPS 180-2 appendix B.1, and its base32 by coreutils (xxd -r -p | base32).
const hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const print = "xj4bnp4pahh6uqkbidpf3lrceoyagyndsylxvhfucd7wd4qacwwq";

describe("fingerprint", () => {
  it("is SHA-256 in base32, and the client id its first 130 bits", () => {
    assert.equal(fingerprint(Buffer.from("abc")), print);
    assert.equal(clientId(Buffer.from("abc")), "xj4bnp4pahh6uqkbidpf3lrceo");
    assert.ok(isFingerprint(print));
    assert.ok(isClientId(print.slice(0, 26)));
  });

  it("is read in every form that people have it in", () => {
    const colons = hash.toUpperCase().match(/../g)?.join(":") ?? "";
    for (const text of [print, print.toUpperCase(), ` ${print}\n`, hash, hash.toUpperCase(), colons])
      assert.equal(parseFingerprint(text), print, text);
  });

  it("is refused when it is anything else", () => {
    const others = [
      "",
      print.slice(1),
      `${print}a`,
      `${print.slice(0, -1)}r`, // bits after the hash's end
      `${print.slice(0, -1)}1`,
      hash.slice(2),
      `${hash.slice(0, -1)}g`,
      hash.match(/.../g)?.join(":") ?? "",
      print.slice(0, 26),
    ];
    for (const text of others)
      assert.throws(
        () => parseFingerprint(text),
        (thrown: PortholeError) => thrown.code === "usage" && thrown.hint !== undefined,
        text,
      );
    for (const value of [print, undefined, 7, print.slice(0, 25)]) assert.ok(!isClientId(value));
    for (const value of [print.slice(0, 26), undefined, hash]) assert.ok(!isFingerprint(value));
  });
});
