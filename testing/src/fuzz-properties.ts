import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { PortholeError } from "@porthole/common/errors";
import {
  canonicalHostName,
  ClientHelloReader,
  ControlDecoder,
  decodeProxyHeader,
  encodeControl,
  encodeProxyHeader,
  limits,
  tlsAlert,
  type ControlMessage,
  type HelloResult,
} from "@porthole/common/protocol";

/**
 * What must hold for any bytes, for each reader of what strangers send: a property fails for bytes that break it. How the bytes are
 * divided comes from the second value. "any" takes any bytes, "nearly" changes and joins the named vectors.
 */
export const fuzzProperties: Readonly<Record<string, fc.IProperty<[Buffer, number]>>> = {
  ...propertiesOf("client-hello", fuzzClientHello, hexVectors("client-hellos")),
  ...propertiesOf("proxy-header", fuzzProxyHeader, hexVectors("proxy-headers")),
  ...propertiesOf(
    "control",
    fuzzControl,
    vectors<{ json: string }>("control-messages").map(({ json }) => framed(Buffer.from(json))),
  ),
};

function propertiesOf(name: string, target: (data: Buffer, seed: number) => void, known: readonly Buffer[]) {
  const seed = fc.integer({ min: 1, max: 0x7fffffff });
  const any = fc.uint8Array({ maxLength: 4_096 }).map((bytes) => Buffer.from(bytes));
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    removed: fc.integer({ min: 0, max: 8 }),
    added: fc.uint8Array({ maxLength: 8 }),
  });
  const nearly = fc
    .tuple(fc.constantFrom(...known), fc.array(change, { maxLength: 4 }), fc.constantFrom(...known, Buffer.alloc(0)))
    .map(([vector, changes, next]) => Buffer.concat([changed(vector, changes), next]));
  return {
    [`${name}, any`]: fc.property(any, seed, target),
    [`${name}, nearly`]: fc.property(nearly, seed, target),
  };
}

/** Bytes put in place of others, somewhere. */
function changed(
  vector: Buffer,
  changes: readonly { readonly at: number; readonly removed: number; readonly added: Uint8Array }[],
): Buffer {
  let bytes = vector;
  for (const { at, removed, added } of changes) {
    const from = Math.floor(at * bytes.length);
    bytes = Buffer.concat([bytes.subarray(0, from), added, bytes.subarray(from + removed)]);
  }
  return bytes;
}

function hexVectors(name: string): Buffer[] {
  return vectors<{ hex: string }>(name).map(({ hex }) => Buffer.from(hex, "hex"));
}

function vectors<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../../common/testdata/${name}.json`, import.meta.url), "utf8")) as T[];
}

function framed(body: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

/** Pieces of 1 to 64 bytes, by a small generator (xorshift32): the same for the same seed. */
function* pieces(data: Buffer, seed: number): Generator<Buffer> {
  let state = seed | 1;
  for (let offset = 0; offset < data.length;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const size = 1 + (state & 63);
    yield data.subarray(offset, offset + size);
    offset += size;
  }
}

function fuzzClientHello(data: Buffer, seed: number): void {
  const whole = new ClientHelloReader();
  const result = whole.push(data);
  const divided = new ClientHelloReader();
  let last: HelloResult = { status: "more" };
  for (const piece of pieces(data, seed)) last = divided.push(piece);
  // More may follow a hello in the same piece, and then it is one hello too many; divided, the first is read before that is known.
  if (result.status !== "refused" || last.status !== "hello") assert.deepEqual(last, result);
  assert.ok(whole.bytes.equals(data), "what was read is not what was sent");
  assert.ok(divided.bytes.equals(data), "what was read in pieces is not what was sent");
  if (result.status === "hello") {
    const { serverName, alpnProtocols } = result.hello;
    if (serverName !== undefined) assert.equal(canonicalHostName(serverName), serverName);
    assert.ok(alpnProtocols.every((protocol) => protocol.length > 0));
  }
  if (result.status === "refused") assert.ok((Object.values(tlsAlert) as number[]).includes(result.alert));
  if (result.status === "more") assert.ok(data.length <= longestHello, "more is waited for than a hello may have");
}

const longestHello = limits.maxHelloRecordBytes;

function fuzzProxyHeader(data: Buffer): void {
  const decoded = orRefused(() => decodeProxyHeader(data));
  if (decoded === undefined || typeof decoded === "string") return;
  const { header, length } = decoded;
  assert.ok(length <= data.length && length <= limits.maxProxyHeaderBytes);
  assert.deepEqual(decodeProxyHeader(data.subarray(0, length)), decoded);
  assert.equal(decodeProxyHeader(data.subarray(0, length - 1)), undefined, "a part was taken for the whole");
  const { source, destination, ...rest } = header;
  if (!source || !destination) return;
  const again = decodeProxyHeader(encodeProxyHeader({ source, destination, ...rest }));
  assert.deepEqual(again?.header, header);
}

function fuzzControl(data: Buffer, seed: number): void {
  const whole = orRefused(() => new ControlDecoder().push(data));
  const decoder = new ControlDecoder();
  const divided = orRefused(() => [...pieces(data, seed)].flatMap((piece): ControlMessage[] => decoder.push(piece)));
  assert.deepEqual(divided, whole);
  if (typeof whole === "string") return;
  for (const message of whole) assert.deepEqual(new ControlDecoder().push(encodeControl(message)), [message]);
}

/** The answer, or the code of the refusal; any other error is a finding. */
function orRefused<T>(read: () => T): T | "protocol" | "limit" {
  try {
    return read();
  } catch (reason) {
    if (reason instanceof PortholeError && (reason.code === "protocol" || reason.code === "limit")) return reason.code;
    throw reason;
  }
}
