import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { deflateRawSync } from "node:zlib";
import { WebSocket, WebSocketServer } from "ws";
import type { Message } from "./message.ts";
import { WebSocketReader } from "./websocket-reader.ts";

function read(
  bytes: Buffer,
  options: { readonly step?: number; readonly extensions?: string; readonly from?: Message["from"] } = {},
): Message[] {
  const { step = bytes.length, extensions = "", from = "visitor" } = options;
  const messages: Message[] = [];
  const reader = new WebSocketReader(from, extensions, (message) => messages.push(message));
  for (let at = 0; at < bytes.length; at += step) {
    // Lent chunks: what the reader keeps must not change with them.
    const chunk = Buffer.from(bytes.subarray(at, at + step));
    reader.push(chunk);
    chunk.fill(0xee);
  }
  return messages;
}

function frame(first: number, payload: Buffer | string, { masked = true } = {}): Buffer {
  const data = Buffer.from(payload);
  const length =
    data.length < 126
      ? Buffer.from([data.length])
      : data.length < 65_536
        ? Buffer.from([126, data.length >> 8, data.length & 255])
        : Buffer.from([127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (data.length >> shift) & 255)]);
  if (!masked) return Buffer.concat([Buffer.from([first]), length, data]);
  const mask = Buffer.from([0x11, 0x80, 0x7f, 0xff]);
  length[0] = (length[0] ?? 0) | 0x80;
  const hidden = data.map((byte, index) => byte ^ (mask[index & 3] ?? 0));
  return Buffer.concat([Buffer.from([first]), length, mask, hidden]);
}

const shown = ({ type, data, bytes, fragments, closeCode }: Message): unknown[] => [
  type,
  data.toString("latin1"),
  bytes,
  ...(fragments ? [fragments] : []),
  ...(closeCode ? [closeCode] : []),
];

describe("reading a WebSocket as it passes", () => {
  const stream = Buffer.concat([
    frame(0x81, "hello"),
    frame(0x01, "one "),
    frame(0x89, "ping inside"),
    frame(0x00, "two "),
    frame(0x80, "three"),
    frame(0x82, Buffer.alloc(300, 7)),
    frame(0x8a, ""),
    frame(0x81, ""),
    frame(0x82, Buffer.alloc(70_000, 9)),
    frame(0x88, Buffer.concat([Buffer.from([3, 232]), Buffer.from("bye")])),
  ]);
  const expected = [
    ["text", "hello", 5],
    ["ping", "ping inside", 11],
    ["text", "one two three", 13, 3],
    ["binary", "\x07".repeat(300), 300],
    ["pong", "", 0],
    ["text", "", 0],
    ["binary", "\x09".repeat(70_000), 70_000],
    ["close", "bye", 5, 1000],
  ];
  for (const step of [1, 2, 3, 7, 1_000, stream.length])
    it(`in chunks of ${step} bytes`, () => assert.deepEqual(read(stream, { step }).map(shown), expected));

  it("without masks, from the service", () => {
    assert.deepEqual(read(frame(0x81, "hi", { masked: false }), { from: "service" }).map(shown), [["text", "hi", 2]]);
  });

  it("keeps the beginning of what is large, and its size", () => {
    const [message] = read(frame(0x82, Buffer.alloc(20 * 1024 * 1024, 1)), { step: 65_536 });
    assert.equal(message?.bytes, 20 * 1024 * 1024);
    assert.equal(message?.data.length, 256 * 1024);
  });

  const broken: readonly [string, Buffer, RegExp][] = [
    ["reserved bits", frame(0xb1, "x"), /reserved/],
    ["an unknown opcode", frame(0x83, "x"), /opcode 3/],
    ["a fragmented ping", frame(0x09, "x"), /control frame/],
    ["a long ping", frame(0x89, "x".repeat(126)), /control frame/],
    ["a continuation of nothing", frame(0x80, "x"), /no beginning/],
    ["a message within a message", Buffer.concat([frame(0x01, "x"), frame(0x81, "y")]), /begins before/],
    ["compression that was not agreed on", frame(0xc1, "x"), /compressed/],
    ["an absurd length", Buffer.from([0x82, 0xff, ...Buffer.alloc(12, 0xff)]), /length/],
  ];
  for (const [what, bytes, why] of broken)
    it(`stops reading at ${what}, and takes whatever comes after it`, () => {
      const messages = read(Buffer.concat([bytes, frame(0x81, "after"), Buffer.alloc(100_000, 0xff)]), { step: 5 });
      assert.deepEqual(
        messages.map(({ type }) => type),
        ["invalid"],
      );
      assert.match(String(messages[0]?.data), why);
    });

  describe("with permessage-deflate", () => {
    const pack = (text: string): Buffer => deflateRawSync(text, { finishFlush: 2 }).subarray(0, -4);
    const extensions = "permessage-deflate; client_no_context_takeover";

    it("undoes it", () => {
      const [message] = read(frame(0xc1, pack("a".repeat(1_000))), { extensions });
      assert.equal(message?.data.toString(), "a".repeat(1_000));
      assert.equal(message?.compressed, true);
      assert.equal(message?.bytes, 1_000);
    });

    it("says that a message is damaged, and continues where it can", () => {
      const bytes = Buffer.concat([frame(0xc1, "\xff\xff\xff"), frame(0xc1, pack("fine"))]);
      assert.deepEqual(
        read(bytes, { extensions }).map(({ type }) => type),
        ["invalid", "text"],
      );
      const both = read(bytes, { extensions: "permessage-deflate" });
      assert.match(String(both[1]?.data), /builds on an earlier/);
    });

    it("is not blown up by a bomb", () => {
      const bomb = deflateRawSync(Buffer.alloc(40 * 1024 * 1024), { finishFlush: 2 }).subarray(0, -4);
      const [message] = read(frame(0xc2, bomb), { extensions });
      assert.match(String(message?.data), /too large/);
    });

    it("is not worn out by many of them", () => {
      const large = frame(0xc2, deflateRawSync(Buffer.alloc(3 * 1024 * 1024), { finishFlush: 2 }).subarray(0, -4));
      const all = Buffer.concat([large, large, large, frame(0xc1, pack("small"))]);
      assert.deepEqual(
        read(all, { extensions }).map(({ type }) => type),
        ["binary", "invalid", "invalid", "text"],
      );
    });
  });

  it("takes a flood of tiny frames in memory that is bounded", () => {
    let count = 0;
    const reader = new WebSocketReader("visitor", "", () => count++);
    const start = frame(0x01, "a");
    const rest = Buffer.concat(Array.from({ length: 10_000 }, () => frame(0x00, "b")));
    reader.push(start);
    for (let index = 0; index < 100; index++) reader.push(rest);
    reader.push(frame(0x80, "c"));
    assert.equal(count, 1);
  });

  it("reads what a real client and server say to each other, both ways, with their compression", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: { threshold: 0 } });
    server.on("connection", (socket) =>
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
    await once(server, "listening");
    const port = (server.address() as AddressInfo).port;
    const bytes = { visitor: [] as Buffer[], service: [] as Buffer[] };
    const { connect } = await import("node:net");
    const sockets: Socket[] = [];
    const proxy = createServer((visitor) => {
      const service = connect(port, "127.0.0.1");
      sockets.push(visitor, service);
      visitor.on("data", (chunk) => bytes.visitor.push(chunk)).pipe(service);
      service.on("data", (chunk) => bytes.service.push(chunk)).pipe(visitor);
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const client = new WebSocket(`ws://127.0.0.1:${(proxy.address() as AddressInfo).port}`, {
      perMessageDeflate: { threshold: 0 },
    });
    await once(client, "open");
    const texts = ["first message", "first message again", "ü".repeat(50_000), "first message"];
    for (const text of texts) {
      client.send(text);
      await once(client, "message");
    }
    client.close(4_001, "done");
    await once(client, "close");
    proxy.close();
    server.close();
    await Promise.all([once(proxy, "close"), once(server, "close")]);
    for (const from of ["visitor", "service"] as const) {
      const all = Buffer.concat(bytes[from]);
      const end = all.indexOf("\r\n\r\n") + 4;
      const head = Buffer.concat(bytes.service).toString("latin1");
      const extensions = /sec-websocket-extensions: (.*)\r/i.exec(head)?.[1] ?? "";
      assert.match(extensions, /permessage-deflate/);
      const messages = read(all.subarray(end), { from, extensions, step: 1_000 });
      assert.deepEqual(
        messages.map(({ data, closeCode }) => (closeCode ? `${closeCode} ${String(data)}` : String(data))),
        [...texts, "4001 done"],
      );
      assert.ok(messages.slice(0, 4).every(({ compressed }) => compressed));
    }
  });
});
