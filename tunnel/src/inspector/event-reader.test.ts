import assert from "node:assert/strict";
import { EventReader } from "./event-reader.ts";
import type { Message } from "./message.ts";

function read(text: string, step: number): unknown[] {
  const messages: Message[] = [];
  const reader = new EventReader((message) => messages.push(message));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
  return messages.map(({ data, event }) =>
    [data.toString(), event?.name, event?.id, event?.retryMs].filter((x) => x !== undefined),
  );
}

describe("reading server-sent events", () => {
  const cases: readonly [string, string, readonly unknown[]][] = [
    ["one", "data: a\n\n", [["a", "message"]]],
    ["all fields", "event: add\nid: 7\nretry: 10\ndata: x\n\n", [["x", "add", "7", 10]]],
    ["several lines", "data: a\ndata\ndata:  b\n\n", [["a\n\n b", "message"]]],
    [
      "carriage returns",
      "data: a\r\n\r\ndata: b\r\rdata: c\n\n",
      [
        ["a", "message"],
        ["b", "message"],
        ["c", "message"],
      ],
    ],
    ["comments and unknown fields", ": ping\nfoo: bar\n\ndata: a\n\n", [["a", "message"]]],
    ["a byte order mark, and more than ASCII", "\uFEFFdata: ü€😀\n\n", [["ü€😀", "message"]]],
    ["an event that is cut off", "data: a\n\ndata: b\n", [["a", "message"]]],
    ["what is no number or has a zero byte", "retry: 1x\nid: a\0b\ndata: z\n\n", [["z", "message"]]],
  ];
  for (const [title, text, expected] of cases)
    it(title, () => {
      for (const step of [1, 2, 3, 1_000]) assert.deepEqual(read(text, step), expected, `in chunks of ${step}`);
    });

  it("holds the beginning of what does not end", () => {
    const sizes: number[] = [];
    const reader = new EventReader(({ data, bytes }) => sizes.push(data.length, bytes));
    for (let index = 0; index < 1_000; index++) reader.push(Buffer.from(`data: ${"x".repeat(10_000)}\n`));
    reader.push(Buffer.from("\n"));
    assert.deepEqual(sizes, [256 * 1024, 10_000 * 1_000 + 999]);
    for (let index = 0; index < 1_000; index++) reader.push(Buffer.from("x".repeat(10_000)));
    reader.push(Buffer.from("\n\ndata: next\n\n"));
    assert.equal(sizes.at(-1), 4);
  });
});
