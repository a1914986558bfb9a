import assert from "node:assert/strict";
import { array, assert as check, constantFrom, integer, property } from "fast-check";
import { RequestReader } from "./request-reader.ts";

/** What a reader reports of these bytes when they come in pieces of this size; every whole request is answered at once. */
function read(text: string, pieceBytes = Infinity, maxHeadBytes = 32 * 1024): unknown[] {
  const seen: unknown[] = [];
  let body: string | undefined;
  const flush = (): void => {
    if (body !== undefined) seen.push(["body", body]);
    body = undefined;
  };
  const reader = new RequestReader(maxHeadBytes, {
    onHead: ({ method, target, framing, headers }) => seen.push([method, target, framing.kind, [...headers]]),
    onData: (payload) => (body = (body ?? "") + payload.toString("latin1")),
    onRequestEnd(trailers) {
      flush();
      seen.push(["end", ...trailers]);
    },
    onFault(status) {
      flush();
      seen.push(status);
    },
  });
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    reader.push(bytes.subarray(at, Math.min(bytes.length, at + pieceBytes)));
    reader.next();
    while (reader.heldBytes > 0) reader.next();
  }
  flush();
  return seen;
}

const get = "GET / HTTP/1.1\r\n";
const host = "Host: a\r\n";
const hosted = ["Host", "a"];

describe("the reader of requests", () => {
  for (const [what, text, seen] of [
    ["a request without a body", `${get}${host}\r\n`, [["GET", "/", "none", hosted], ["end"]]],
    ["empty lines before a request", `\r\n\r\n${get}${host}\r\n`, [["GET", "/", "none", hosted], ["end"]]],
    ["blanks around a value", `${get}Host: \t a \t \r\n\r\n`, [["GET", "/", "none", hosted], ["end"]]],
    ["an empty value", `${get}X:\r\n\r\n`, [["GET", "/", "none", ["X", ""]], ["end"]]],
    ["bytes beyond ASCII in a value", `${get}X: \xff\r\n\r\n`, [["GET", "/", "none", ["X", "\xff"]], ["end"]]],
    [
      "a body of a known length, and the request behind it",
      `PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc${get}\r\n`,
      [["PUT", "/", "sized", ["Content-Length", "3"]], ["body", "abc"], ["end"], ["GET", "/", "none", []], ["end"]],
    ],
    [
      "chunks with extensions and trailers",
      "PUT / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n5;x=y\r\nhello\r\nA ; q\r\n1234567890\r\n0\r\nX: y\r\n\r\n",
      [
        ["PUT", "/", "chunked", ["Transfer-Encoding", "Chunked"]],
        ["body", "hello1234567890"],
        ["end", "X", "y"],
      ],
    ],
    [
      "a length of nothing",
      "PUT / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
      [["PUT", "/", "none", ["Content-Length", "0"]], ["end"]],
    ],
  ] as const) {
    it(`reads ${what}, in one piece and byte by byte`, () => {
      assert.deepEqual(read(text), seen);
      assert.deepEqual(read(text, 1), seen);
    });
  }

  const post = "POST / HTTP/1.1\r\n";
  /** What could be read in two ways, or not at all. */
  const refused: Readonly<Record<string, readonly [string, number]>> = {
    "a bare line feed after the request line": [`GET / HTTP/1.1\n${host}\r\n`, 400],
    "a bare line feed after a field": [`${get}Host: a\nX: y\r\n\r\n`, 400],
    "a bare line feed as the empty line": [`${get}${host}\n`, 400],
    "a bare carriage return in a value": [`${get}X: a\rY: b\r\n\r\n`, 400],
    "a carriage return before the end of a line": [`${get}X: a\r\r\n\r\n`, 400],
    "a NUL in a value": [`${get}X: a\0\r\n\r\n`, 400],
    "DEL in a value": [`${get}X: a\x7f\r\n\r\n`, 400],
    "a folded line": [`${get}X: a\r\n b\r\n\r\n`, 400],
    "a blank before the colon": [`${get}X : a\r\n\r\n`, 400],
    "a line without a colon": [`${get}X\r\n\r\n`, 400],
    "a field without a name": [`${get}: a\r\n\r\n`, 400],
    "a name that is no token": [`${get}X(y): a\r\n\r\n`, 400],
    "a method in small letters": ["get / HTTP/1.1\r\n\r\n", 400],
    "a method that nobody knows": ["FETCH / HTTP/1.1\r\n\r\n", 400],
    "two blanks before the version": ["GET /  HTTP/1.1\r\n\r\n", 400],
    "bytes beyond ASCII in a target": ["GET /\xff HTTP/1.1\r\n\r\n", 400],
    "no version": ["GET /\r\n\r\n", 505],
    "HTTP/2.0": ["GET / HTTP/2.0\r\n\r\n", 505],
    "a version that nobody knows": ["GET / HTTP/3.7\r\n\r\n", 400],
    "no HTTP at all": ["EHLO there\r\n", 400],
    "a TLS record": ["\x16\x03\x01", 400],
    "a length and chunks": [`${post}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    "two lengths": [`${post}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`, 400],
    "a length twice": [`${post}Content-Length: 3\r\nContent-Length: 3\r\n\r\n`, 400],
    "a list of lengths": [`${post}Content-Length: 3, 3\r\n\r\n`, 400],
    "a signed length": [`${post}Content-Length: +3\r\n\r\n`, 400],
    "a length that can't be counted": [`${post}Content-Length: 99999999999999999999\r\n\r\n`, 400],
    "no length after its name": [`${post}Content-Length:\r\n\r\n`, 400],
    "a coding besides chunks": [`${post}Transfer-Encoding: gzip, chunked\r\n\r\n`, 501],
    "chunks twice": [`${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    "chunks in HTTP/1.0": ["POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400],
    "a head that is too large": [`${get}X: ${"a".repeat(40_000)}\r\n\r\n`, 431],
    "a head without an end": [`${get}X: ${"a".repeat(40_000)}`, 431],
    "more fields than anybody sends": [`${get}${"X:\r\n".repeat(2_001)}\r\n`, 431],
  };
  for (const [what, [text, status]] of Object.entries(refused)) {
    it(`refuses ${what}, in one piece and byte by byte`, () => {
      assert.deepEqual(read(text), [status]);
      assert.deepEqual(read(text, 1), [status]);
    });
  }

  const chunks = `${post}Transfer-Encoding: chunked\r\n\r\n`;
  for (const [what, text, status] of [
    ["a size that is none", "xyz\r\n", 400],
    ["an empty size", "\r\n", 400],
    ["a size with a sign", "+5\r\nhello\r\n", 400],
    ["a size with 0x", "0x5\r\nhello\r\n", 400],
    ["a bare line feed after a size", "3\nabc\r\n0\r\n\r\n", 400],
    ["a control character in an extension", "3;\0\r\nabc\r\n", 400],
    ["a chunk that is longer than its size", "3\r\nabcd\r\n", 400],
    ["a size that can't be counted", "fffffffffffff\r\n", 400],
    ["an extension without an end", `3;${"x".repeat(20_000)}`, 413],
    ["a folded trailer", "0\r\nX: a\r\n b\r\n\r\n", 400],
    ["a bare line feed after a trailer", "0\r\nX: a\n\r\n", 400],
  ] as const) {
    it(`refuses ${what}, and gives nothing of it for the body's end`, () => {
      for (const pieces of [Infinity, 1]) {
        const seen = read(chunks + text, pieces);
        assert.equal(seen.at(-1), status);
        assert.ok(!seen.some((each) => Array.isArray(each) && each[0] === "end"));
      }
    });
  }

  it("reads a request in any pieces as it reads it in one", () => {
    const alphabet = [...["GET / HTTP/1.1\r\n", "PUT /x HTTP/1.1\r\n", "Host: a\r\n", "Content-Length: 3\r\n"]];
    alphabet.push(
      "Transfer-Encoding: chunked\r\n",
      "\r\n",
      "\n",
      "\r",
      "abc",
      "3\r\n",
      "0\r\n",
      ";",
      ":",
      " ",
      "\0",
      "X",
      "\xff",
    );
    check(
      property(array(constantFrom(...alphabet), { maxLength: 20 }), integer({ min: 1, max: 30 }), (parts, pieces) => {
        const text = parts.join("");
        assert.deepEqual(read(text, pieces), read(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes a time that is linear in what it reads", () => {
    for (const text of [
      `${get}X: ${" ".repeat(32_000)}\r\n\r\n`,
      `${get}X:${" \t".repeat(16_000)}a\r\n\r\n`,
      `${get}${"a".repeat(32_000)}`,
      "A".repeat(32_000),
      `${chunks}3;${" ".repeat(16_000)}`,
    ]) {
      const startedAt = performance.now();
      read(text, 1);
      read(text);
      assert.ok(performance.now() - startedAt < 2_000, `${text.slice(0, 30)} took too long`);
    }
  });
});
