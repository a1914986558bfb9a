import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import type { Message } from "vscode-jsonrpc/node";
import { GuardedReader, MeasuredWriter } from "./framing.ts";

const maxMessageBytes = 10_000;

interface Seen {
  readonly messages: Message[];
  readonly errors: string[];
}

/** What comes out of these bytes until they end. */
async function read(bytes: string | Buffer, chunkSize = 65_536): Promise<Seen> {
  const seen: Seen = { messages: [], errors: [] };
  const input = new PassThrough();
  const reader = new GuardedReader(input, maxMessageBytes);
  const closed = new Promise<void>((resolve) => reader.onClose(() => resolve()));
  reader.onError((error) => seen.errors.push(error.message));
  reader.listen((message) => {
    reader.noteHandled();
    seen.messages.push(message);
  });
  const buffer = Buffer.from(bytes as string);
  for (let at = 0; at < buffer.length; at += chunkSize) input.write(buffer.subarray(at, at + chunkSize));
  input.end();
  await closed;
  for (let turns = 0; turns < 10; turns++) await turn();
  return seen;
}

function frame(value: unknown): string {
  const body = typeof value === "string" ? value : JSON.stringify(value);
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

const hello = { jsonrpc: "2.0", id: 1, method: "hello", params: { text: "grüß dich" } };
const bye = { jsonrpc: "2.0", method: "bye" };

describe("messages in a stream", () => {
  for (const chunkSize of [1, 7, 10_000])
    it(`come out as they went in, ${chunkSize} bytes at a time`, async () => {
      const text = frame(hello) + frame(bye) + frame({ jsonrpc: "2.0", id: "a", result: null });
      const { messages, errors } = await read(text, chunkSize);
      assert.deepEqual(messages, [hello, bye, { jsonrpc: "2.0", id: "a", result: null }]);
      assert.deepEqual(errors, []);
    });

  it("may have other headers, in any case", async () => {
    const body = JSON.stringify(bye);
    const text = `content-type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length:${body.length}\r\n\r\n${body}`;
    assert.deepEqual((await read(text)).messages, [bye]);
  });

  it("come out as the writer puts them in", async () => {
    const stream = new PassThrough();
    const writer = new MeasuredWriter(stream);
    await writer.write(hello);
    const [bytes] = (await once(stream, "data")) as [Buffer];
    assert.deepEqual((await read(bytes)).messages, [hello]);
  });

  const wrong: readonly [string, string, RegExp][] = [
    ["no length", "Hello: there\r\n\r\n", /no Content-Length/],
    ["a request of HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", /no Content-Length/],
    ["a length that is none", "Content-Length: many\r\n\r\n", /no Content-Length/],
    ["a negative length", "Content-Length: -5\r\n\r\n", /no Content-Length/],
    ["a length in another header", "X-Content-Length: 2\r\n\r\n{}", /no Content-Length/],
    ["a header without an end", "x".repeat(5_000), /no Content-Length/],
    ["something endless", "y".repeat(500_000), /no Content-Length/],
    ["a body that is too large", `Content-Length: 20000\r\n\r\n${"z".repeat(20_000)}`, /20000 bytes, more than 10000/],
    ["nothing", frame(""), /an empty body/],
    ["no JSON", frame("{"), /not JSON/],
    ["JSON as deep as it may be long", frame("[".repeat(9_000)), /not JSON/],
    ["bytes that are no text", frame("\u{fffd}"), /not JSON/],
    ["a number", frame(5), /no JSON-RPC/],
    ["null", frame("null"), /no JSON-RPC/],
    ["a batch", frame([hello]), /batch/],
    ["another version", frame({ ...hello, jsonrpc: "1.0" }), /no JSON-RPC/],
    ["neither question nor answer", frame({ jsonrpc: "2.0", id: 1 }), /no JSON-RPC/],
    ["a method that is a number", frame({ ...hello, method: 1 }), /no JSON-RPC/],
    ["null as id", frame({ ...hello, id: null }), /no JSON-RPC/],
    ["an object as id", frame({ ...hello, id: {} }), /no JSON-RPC/],
    ["a cancellation of nothing", frame({ jsonrpc: "2.0", method: "$/cancelRequest" }), /no JSON-RPC/],
  ];
  for (const [what, text, complaint] of wrong)
    it(`end at ${what}`, async () => {
      for (const chunkSize of [1_000, 200_000]) {
        const { errors } = await read(text + frame(bye), chunkSize);
        assert.equal(errors.length, 1);
        assert.match(errors[0] ?? "", complaint);
      }
    });

  it("wait at the sender while those before them are not handled", async () => {
    const input = new PassThrough();
    const reader = new GuardedReader(input, maxMessageBytes);
    let read = 0;
    reader.listen(() => {
      reader.noteHandled();
      read++;
    });
    const many = frame(bye).repeat(5_000);
    let most = 0;
    for (let at = 0; at < many.length; at += 4_096) {
      if (!input.write(many.slice(at, at + 4_096))) await once(input, "drain");
      most = Math.max(most, reader.unhandled);
    }
    assert.ok(most < 300, String(most));
    while (reader.unhandled > 0) await turn();
    assert.equal(read, 5_000);
    reader.dispose();
  });
});
