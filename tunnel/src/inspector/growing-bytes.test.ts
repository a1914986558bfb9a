import assert from "node:assert/strict";
import { GrowingBytes } from "./growing-bytes.ts";

describe("bytes that grow", () => {
  it("are those that were given, up to the bound, whatever their pieces", () => {
    const all = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251));
    for (const step of [1, 7, 4_096, 50_000]) {
      const bytes = new GrowingBytes(40_000);
      for (let at = 0; at < all.length; at += step) {
        const chunk = Buffer.from(all.subarray(at, at + step));
        bytes.append(chunk);
        assert.equal(bytes.length, Math.min(at + chunk.length, 40_000));
        chunk.fill(0);
      }
      assert.ok(bytes.bytes.equals(all.subarray(0, 40_000)));
      assert.equal(bytes.length, 40_000);
      assert.equal(bytes.capacity, 40_000);
    }
  });

  it("take at most twice their size", () => {
    const bytes = new GrowingBytes(1_000_000);
    assert.equal(bytes.capacity, 0);
    bytes.append(Buffer.alloc(10));
    assert.equal(bytes.capacity, 10);
    for (let index = 0; index < 10_000; index++) {
      bytes.append(Buffer.alloc(3));
      assert.ok(bytes.capacity <= Math.max(4_096, 2 * bytes.length));
    }
  });
});
