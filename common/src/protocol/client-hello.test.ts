import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ClientHelloReader, type HelloResult } from "./client-hello.ts";
import { encodeAlert, tlsAlert } from "./tls-alert.ts";
import { limits } from "./protocol.ts";

interface Vector {
  readonly name: string;
  readonly hex: string;
  readonly expect:
    | { readonly status: "more" }
    | { readonly status: "hello"; readonly serverName?: string; readonly alpnProtocols: readonly string[] }
    | { readonly status: "refused"; readonly alert: number; readonly plainHttp: boolean };
}

const vectors = JSON.parse(
  readFileSync(new URL("../../testdata/client-hellos.json", import.meta.url), "utf8"),
) as Vector[];

/** What the reader answers to these chunks, in the form of a vector's expectation. */
function read(...chunks: readonly Uint8Array[]): object {
  const reader = new ClientHelloReader();
  let result: HelloResult = { status: "more" };
  for (const chunk of chunks) result = reader.push(chunk);
  assert.deepEqual(reader.bytes, Buffer.concat(chunks));
  if (result.status === "hello") return { status: "hello", ...result.hello };
  if (result.status === "refused") return { status: "refused", alert: result.alert, plainHttp: result.plainHttp };
  return result;
}

function record(payload: Uint8Array): Buffer {
  const header = Buffer.from([0x16, 0x03, 0x01, 0, 0]);
  header.writeUInt16BE(payload.length, 3);
  return Buffer.concat([header, payload]);
}

/** A ClientHello of any size: one long unknown extension. */
function helloOf(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.set([1, 0, (size - 4) >> 8, (size - 4) & 0xff, 3, 3]);
  const rest = Buffer.from("000002130101000000aaaa0000", "hex");
  rest.writeUInt16BE(size - 47, 7);
  rest.writeUInt16BE(size - 51, 11);
  bytes.set(rest, 38);
  return bytes;
}

const verbs = { hello: "reads", more: "waits", refused: "refuses" } as const;

describe("ClientHelloReader", () => {
  for (const { name, hex, expect } of vectors) {
    const bytes = Buffer.from(hex, "hex");

    it(`${verbs[expect.status]}: ${name}`, () => {
      assert.deepEqual(read(bytes), expect);
    });

    it(`answers the same however it is divided: ${name}`, () => {
      for (let split = 0; split <= bytes.length; split++)
        assert.deepEqual(read(bytes.subarray(0, split), bytes.subarray(split)), expect, `split at ${split}`);
      assert.deepEqual(read(...Array.from(bytes, (byte) => Buffer.of(byte))), expect);
    });
  }

  it("reads a post-quantum hello in any number of TCP segments and TLS records", () => {
    for (const { name, hex, expect } of vectors.filter((vector) => vector.hex.length > 3000)) {
      const message = Buffer.from(hex, "hex").subarray(5);
      for (const size of [message.length, 1400, 1000, 517, 130, 16, 1]) {
        const records: Buffer[] = [];
        for (let at = 0; at < message.length; at += size) records.push(record(message.subarray(at, at + size)));
        const bytes = Buffer.concat(records);
        for (const segment of [1, 3, 7, 536, 1460]) {
          const chunks: Buffer[] = [];
          for (let at = 0; at < bytes.length; at += segment) chunks.push(bytes.subarray(at, at + segment));
          assert.deepEqual(read(...chunks), expect, `${name}: records of ${size}, segments of ${segment}`);
        }
      }
    }
  });

  it("takes 16 empty records among the others, and no more", () => {
    const { hex = "", expect } = vectors.find((vector) => vector.expect.status === "hello") ?? {};
    const whole = Buffer.from(hex, "hex");
    const empty = record(Buffer.alloc(0));
    const after = (count: number): object => read(...Array.from({ length: count }, () => empty), whole);
    assert.deepEqual(after(16), expect);
    assert.deepEqual(after(17), { status: "refused", alert: tlsAlert.unexpectedMessage, plainHttp: false });
  });

  it("keeps no more than the largest hello in one record takes, whatever the records", () => {
    const reader = new ClientHelloReader();
    const message = helloOf(limits.maxHelloBytes);
    let result = reader.push(Buffer.alloc(0));
    for (const byte of message) if (result.status === "more") result = reader.push(record(Buffer.of(byte)));
    assert.equal(result.status, "refused");
    assert.ok(reader.bytes.length <= limits.maxHelloRecordBytes + 6, `${reader.bytes.length} bytes`);
  });

  it("waits for the rest of a hello that is cut off", () => {
    for (const { hex } of vectors.filter((vector) => vector.expect.status === "hello").slice(0, 6)) {
      const bytes = Buffer.from(hex, "hex");
      const reader = new ClientHelloReader();
      for (const byte of bytes.subarray(0, -1)) assert.deepEqual(reader.push(Buffer.of(byte)), { status: "more" });
      assert.equal(reader.push(bytes.subarray(-1)).status, "hello");
    }
  });

  it("keeps its answer, and still collects bytes", () => {
    const bytes = Buffer.from(vectors[0]?.hex ?? "", "hex");
    const reader = new ClientHelloReader();
    const first = reader.push(bytes);
    assert.equal(reader.push(Buffer.from("more")), first);
    assert.equal(reader.bytes.length, bytes.length + 4);
  });

  it("takes a hello of the largest size, and no larger one", () => {
    const largest = helloOf(limits.maxHelloBytes);
    assert.deepEqual(read(record(largest.subarray(0, 9000)), record(largest.subarray(9000))), {
      status: "hello",
      alpnProtocols: [],
    });
    assert.deepEqual(read(record(helloOf(limits.maxHelloBytes + 1).subarray(0, 9000))), {
      status: "refused",
      alert: tlsAlert.illegalParameter,
      plainHttp: false,
    });
  });

  it("always answers, whatever the bytes", () => {
    let seed = 1;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 8) % below;
    };
    const real = vectors.slice(0, 6).map((vector) => Buffer.from(vector.hex, "hex"));
    for (let round = 0; round < 5_000; round++) {
      const bytes = Buffer.from(real[round % real.length] ?? []);
      for (let count = random(4); count >= 0; count--) bytes[random(bytes.length)] = random(256);
      const end = random(3) === 0 ? random(bytes.length) : bytes.length;
      const whole = read(bytes.subarray(0, end));
      const middle = random(end + 1);
      assert.deepEqual(read(bytes.subarray(0, middle), bytes.subarray(middle, end)), whole);
    }
  });

  it("keeps byte-by-byte hellos cheap", () => {
    // 16 KiB in single bytes: with a copy of everything per byte this would move 130 MB.
    const reader = new ClientHelloReader();
    const message = Buffer.alloc(limits.maxHelloBytes - 1);
    message.set([1, 0, 0x3f, 0xfc]);
    const startedAt = performance.now();
    for (const byte of record(message)) assert.equal(reader.push(Buffer.of(byte)).status, "more");
    assert.ok(performance.now() - startedAt < 1_000);
  });
});

describe("encodeAlert", () => {
  it("is a fatal alert record", () => {
    assert.equal(encodeAlert(tlsAlert.unrecognizedName).toString("hex"), "15030300020270");
  });
});
