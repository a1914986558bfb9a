import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { Message } from "vscode-jsonrpc/node";
import { FrameReader, FrameWriter, type BadMessage } from "./framing.ts";

const maxMessageBytes = 10_000;

/** What comes out of these bytes, in order: messages, and what was wrong. */
function read(bytes: string | Buffer, chunkSize = Number.POSITIVE_INFINITY): (Message | BadMessage)[] {
  const seen: (Message | BadMessage)[] = [];
  const input = new PassThrough();
  const reader = new FrameReader(input, { maxMessageBytes, onBad: (bad) => seen.push(bad) });
  reader.listen((message) => seen.push(message));
  const buffer = Buffer.from(bytes as string);
  for (let at = 0; at < buffer.length; at += chunkSize)
    input.emit("data", buffer.subarray(at, Math.min(buffer.length, at + chunkSize)));
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
    it(`come out as they went in, ${chunkSize} bytes at a time`, () => {
      const text = frame(hello) + frame(bye) + frame({ jsonrpc: "2.0", id: "a", result: null });
      assert.deepEqual(read(text, chunkSize), [hello, bye, { jsonrpc: "2.0", id: "a", result: null }]);
    });

  it("may have other headers, in any case", () => {
    const body = JSON.stringify(bye);
    const text = `content-type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length:${body.length}\r\n\r\n${body}`;
    assert.deepEqual(read(text), [bye]);
  });

  it("come out as the writer puts them in", async () => {
    const stream = new PassThrough();
    const writer = new FrameWriter(stream);
    await writer.write(hello);
    const [bytes] = (await once(stream, "data")) as [Buffer];
    assert.deepEqual(read(bytes), [hello]);
  });

  const wrong: readonly [string, string, RegExp][] = [
    ["no length", "Hello: there\r\n\r\n", /no Content-Length/],
    ["a length that is none", "Content-Length: many\r\n\r\n", /no Content-Length/],
    ["a negative length", "Content-Length: -5\r\n\r\n", /no Content-Length/],
    ["a header without an end", "x".repeat(5_000), /no Content-Length/],
    ["something endless", "y".repeat(500_000), /no Content-Length/],
    ["a body that is too large", `Content-Length: 20000\r\n\r\n${"z".repeat(20_000)}`, /20000 bytes, more than 10000/],
    ["no JSON", frame("{"), /not JSON/],
    ["nothing", frame(""), /not JSON/],
    ["JSON as deep as it may be long", frame("[".repeat(9_000)), /not JSON/],
    ["bytes that are no text", frame("\u{fffd}"), /not JSON/],
    ["a number", frame(5), /not an object/],
    ["null", frame("null"), /not an object/],
    ["a batch", frame([hello]), /batch/],
    ["another version", frame({ ...hello, jsonrpc: "1.0" }), /jsonrpc is not/],
    ["neither question nor answer", frame({ jsonrpc: "2.0", id: 1 }), /neither a method nor an outcome/],
    ["a method that is a number", frame({ ...hello, method: 1 }), /method is not a string/],
    ["null as id", frame({ ...hello, id: null }), /id is neither/],
    ["an object as id", frame({ ...hello, id: {} }), /id is neither/],
    ["params by position", frame({ ...hello, params: [1] }), /params is not an object/],
    ["params that are null", frame({ ...hello, params: null }), /params is not an object/],
    ["a cancellation of nothing", frame({ jsonrpc: "2.0", method: "$/cancelRequest" }), /needs the id/],
  ];
  for (const [what, text, complaint] of wrong) {
    it(`are told from ${what}, and reading goes on`, () => {
      for (const chunkSize of [1_000, 200_000]) {
        const [bad, next, ...more] = read(text + frame(bye), chunkSize) as [BadMessage, Message];
        assert.match(bad.what, complaint);
        assert.deepEqual([next, more], [bye, []]);
      }
    });
  }

  it("keep the id of a request that is wrong, so that its answer is found", () => {
    assert.deepEqual(
      (read(frame({ ...hello, params: [1] })) as BadMessage[]).map(({ id }) => id),
      [1],
    );
  });
});
