import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { PortholeError } from "../errors.ts";
import { ControlDecoder, encodeControl } from "./control-codec.ts";
import { limits, type ControlMessage } from "./protocol.ts";

interface Vector {
  readonly name: string;
  readonly json: string;
  /** The message as the decoder returns it; absent if it refuses. */
  readonly message?: ControlMessage;
  /** The encoder writes exactly this JSON. */
  readonly encode?: boolean;
}

const vectors = JSON.parse(
  readFileSync(new URL("../../testdata/control-messages.json", import.meta.url), "utf8"),
) as Vector[];

function frame(json: string | Buffer): Buffer {
  const body = Buffer.from(json as string);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

/** A ping whose JSON has this many bytes. */
function pad(length: number): string {
  const [head, tail] = ['{"type":"ping","n":1,"more":"', '"}'] as const;
  return head + "x".repeat(length - head.length - tail.length) + tail;
}

function refusedAs(code: string): (thrown: PortholeError) => boolean {
  return (thrown) => {
    assert.equal(thrown.code, code);
    return true;
  };
}

describe("control messages", () => {
  for (const { name, json, message, encode } of vectors) {
    if (message)
      it(`reads: ${name}`, () => {
        assert.deepEqual(new ControlDecoder().push(frame(json)), [message]);
      });
    else
      it(`refuses: ${name}`, () => {
        assert.throws(() => new ControlDecoder().push(frame(json)), refusedAs("protocol"));
      });
    if (encode && message)
      it(`writes: ${name}`, () => {
        assert.deepEqual(encodeControl(message), frame(json));
      });
  }

  it("come out the same however the bytes are divided", () => {
    const messages = vectors.flatMap(({ message }) => (message ? [message] : []));
    const bytes = Buffer.concat(messages.map(encodeControl));
    for (const size of [1, 2, 3, 4, 5, 7, 64, 1000, bytes.length]) {
      const decoder = new ControlDecoder();
      const read: ControlMessage[] = [];
      for (let at = 0; at < bytes.length; at += size) read.push(...decoder.push(bytes.subarray(at, at + size)));
      assert.deepEqual(read, messages, `chunks of ${size}`);
    }
  });

  it("do not keep the chunk that they came in", () => {
    const bytes = encodeControl({ type: "goodbye", reason: "done" });
    const decoder = new ControlDecoder();
    const first = Buffer.from(bytes.subarray(0, 10));
    decoder.push(first);
    first.fill(0);
    assert.deepEqual(decoder.push(bytes.subarray(10)), [{ type: "goodbye", reason: "done" }]);
  });

  it("may be as long as the limit, and no longer", () => {
    assert.deepEqual(new ControlDecoder().push(frame(pad(limits.maxControlBytes))), [{ type: "ping", n: 1 }]);
    const header = Buffer.alloc(4);
    header.writeUInt32BE(limits.maxControlBytes + 1);
    assert.throws(() => new ControlDecoder().push(header), refusedAs("limit"));
    assert.throws(() => new ControlDecoder().push(Buffer.from("GET / HTTP/1.1")), refusedAs("limit"));
  });

  it("of no bytes, or not in UTF-8, are refused", () => {
    assert.throws(() => new ControlDecoder().push(Buffer.alloc(4)), refusedAs("protocol"));
    assert.throws(
      () => new ControlDecoder().push(frame(Buffer.from('{"type":"goodbye","reason":"\xff"}', "latin1"))),
      refusedAs("protocol"),
    );
  });

  it("that are deeply nested are refused without harm", () => {
    for (const text of ["[".repeat(60_000), '{"a":'.repeat(12_000), `{"type":"ping","n":${"[".repeat(20_000)}`])
      assert.throws(() => new ControlDecoder().push(frame(text)), refusedAs("protocol"));
  });

  it("of ours that the peer would refuse are errors of ours", () => {
    assert.throws(() => encodeControl({ type: "ping", n: -1 }), refusedAs("internal"));
    assert.throws(() => encodeControl({ type: "abort", stream: 1, code: "" }), refusedAs("internal"));
  });

  it("lose what could steer a terminal, and what is too long", () => {
    const reason = `\u001b[2Jred\u202e\u0007${"x".repeat(3_000)}`;
    const [message] = new ControlDecoder().push(encodeControl({ type: "goodbye", reason }));
    assert.ok(message?.type === "goodbye");
    assert.equal(message.reason.slice(0, 12), " [2Jred  xxx");
    assert.equal(message.reason.length, 2_000);
  });

  it("never show a token in an error", () => {
    const hello = JSON.stringify({ type: "hello", protocol: 1, software: "x", instance: "i", token: "very secret" });
    assert.throws(
      () => new ControlDecoder().push(frame(hello)),
      (thrown: PortholeError) => thrown.message.includes("token") && !thrown.message.includes("very"),
    );
  });
});
