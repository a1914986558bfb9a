import assert from "node:assert/strict";
import zlib from "node:zlib";
import { decodeContent } from "./content-decoder.ts";

const text = "Grüße aus dem Tunnel. ".repeat(500);
const mebi = 1024 * 1024;
const zstdCompressSync = (zlib as { readonly zstdCompressSync?: (data: string) => Buffer }).zstdCompressSync;

describe("undoing content codings", () => {
  const cases: readonly [string, Buffer][] = [
    ["gzip", zlib.gzipSync(text)],
    ["x-gzip", zlib.gzipSync(text)],
    ["deflate", zlib.deflateSync(text)],
    ["deflate", zlib.deflateRawSync(text)],
    ["br", zlib.brotliCompressSync(text)],
    ["GZIP , br", zlib.brotliCompressSync(zlib.gzipSync(text))],
    ...(zstdCompressSync ? [["zstd", zstdCompressSync(text)] as [string, Buffer]] : []),
  ];
  for (const [coding, bytes] of cases) {
    it(coding, async () => {
      const { bytes: decoded, outcome } = await decodeContent(bytes, coding, mebi);
      assert.equal(outcome, "decoded");
      assert.equal(decoded.toString(), text);
    });

    it(`${coding}, cut off or broken`, async () => {
      const cut = await decodeContent(bytes.subarray(0, bytes.length - 20), coding, mebi);
      assert.ok(text.startsWith(cut.bytes.toString().slice(0, -3)));
      const broken = await decodeContent(Buffer.alloc(50, 0xff), coding, mebi);
      assert.equal(broken.outcome, "damaged");
    });
  }

  it("identity, and nothing at all", async () => {
    for (const coding of ["", "identity"])
      assert.deepEqual(await decodeContent(Buffer.from("a"), coding, mebi), {
        bytes: Buffer.from("a"),
        outcome: "none",
      });
    assert.equal((await decodeContent(Buffer.alloc(0), "gzip", mebi)).bytes.length, 0);
  });

  it("leaves what it does not know", async () => {
    assert.deepEqual(await decodeContent(Buffer.from("a"), "gzip, aes128gcm", mebi), {
      bytes: Buffer.from("a"),
      outcome: "unknown",
    });
  });

  it("is not blown up by a bomb", async () => {
    for (const bomb of [zlib.gzipSync(Buffer.alloc(40 * mebi)), zlib.gzipSync(Buffer.alloc(mebi + 1))]) {
      const { bytes, outcome } = await decodeContent(bomb, "gzip", mebi);
      assert.equal(bytes.length, mebi);
      assert.equal(outcome, "damaged");
    }
  });
});
