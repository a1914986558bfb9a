import assert from "node:assert/strict";
import { array, assert as check, constantFrom, integer, property } from "fast-check";
import { AnswerReader } from "./answer-reader.ts";

interface Options {
  readonly pieceBytes?: number;
  readonly isForHead?: boolean;
  /** How the connection ends; undefined: it stays. */
  readonly end?: "in order" | "reset" | undefined;
}

/** What a reader reports of these bytes. */
function read(text: string, { pieceBytes = Infinity, isForHead = false, end }: Options = {}): unknown[] {
  const seen: unknown[] = [];
  let body = "";
  const reader = new AnswerReader(256 * 1024, {
    onInform: ({ status }) => seen.push(status),
    onHead: ({ status, statusText, headers, framing }) => seen.push([status, statusText, [...headers], framing.kind]),
    onData: (payload) => (body += payload.toString("latin1")),
    onEnd: (trailers) => seen.push(body, ["end", ...trailers]),
    onFault: ({ kind }) => seen.push(body, kind),
  });
  reader.expect(isForHead);
  const bytes = Buffer.from(text, "latin1");
  let isInOrder = true;
  for (let at = 0; at < bytes.length && isInOrder; at += pieceBytes)
    isInOrder = reader.push(bytes.subarray(at, Math.min(bytes.length, at + pieceBytes)));
  if (end) reader.end(end === "in order");
  else if (!isInOrder && Array.isArray(seen.at(-1))) seen.push("more than asked for");
  return seen;
}

const ok = "HTTP/1.1 200 OK\r\n";
const sized = "Content-Length: 5\r\n\r\nhello";
const five = ["Content-Length", "5"];

describe("the reader of answers", () => {
  /** Curl and Chromium show "hello" for each of these. */
  const taken: Readonly<
    Record<string, readonly [text: string, headers: readonly string[], trailers?: readonly string[]]>
  > = {
    "a length": [`${ok}${sized}`, five],
    chunks: [`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, ["Transfer-Encoding", "chunked"]],
    "chunks and trailers": [
      `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\nX: y\r\n\r\n`,
      ["Transfer-Encoding", "chunked"],
      ["X", "y"],
    ],
    "chunks and a length": [
      `${ok}Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
      ["Transfer-Encoding", "chunked"],
    ],
    "the same length twice": [`${ok}Content-Length: 5\r\n${sized}`, five],
    "a list of the same length": [`${ok}Content-Length: 5, 5\r\n\r\nhello`, five],
    "bare line feeds": ["HTTP/1.1 200 OK\nX: y\nContent-Length: 5\n\nhello", ["X", "y", ...five]],
    "one bare line feed": [`${ok}X: y\n${sized}`, ["X", "y", ...five]],
    "a blank before the colon": [`${ok}X : y\r\n${sized}`, ["X", "y", ...five]],
    "a folded line": [`${ok}X: y\r\n\t z\r\n${sized}`, ["X", "y z", ...five]],
    "a control character in a value": [`${ok}X: \x01y\x7f\r\n${sized}`, ["X", "\x01y\x7f", ...five]],
    "a carriage return in a value": [`${ok}X: y\rz\r\n${sized}`, ["X", "y z", ...five]],
    "a name with parentheses": [`${ok}X(y): z\r\n${sized}`, ["X(y)", "z", ...five]],
    "a name with blanks": [`${ok}X y: z\r\n${sized}`, ["X y", "z", ...five]],
    "a name in UTF-8": [`${ok}\xc3\x9c: y\r\n${sized}`, ["\xc3\x9c", "y", ...five]],
    "a line without a colon": [`${ok}nothing\r\n${sized}`, five],
    "a field without a name": [`${ok}: y\r\n${sized}`, five],
    "padded sizes of chunks": [
      `${ok}Transfer-Encoding: chunked\r\n\r\n5   \r\nhello\r\n0 \r\n\r\n`,
      ["Transfer-Encoding", "chunked"],
    ],
    "bare line feeds in chunks": [
      `${ok}Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n`,
      ["Transfer-Encoding", "chunked"],
    ],
    "the coding identity": [`${ok}Transfer-Encoding: identity\r\n${sized}`, ["Transfer-Encoding", "identity", ...five]],
    "HTTP/1.2": [`HTTP/1.2 200 OK\r\n${sized}`, five],
    "HTTP/1.0 and a length": [`HTTP/1.0 200 OK\r\n${sized}`, five],
    "empty lines before it": [`\r\n\r\n${ok}${sized}`, five],
    "informational answers before it": [
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n${ok}${sized}`,
      five,
    ],
  };
  for (const [what, [text, headers, trailers = []]] of Object.entries(taken)) {
    it(`takes ${what}, in one piece and byte by byte`, () => {
      for (const pieceBytes of [Infinity, 1]) {
        const seen = read(text, { pieceBytes }).filter((each) => typeof each !== "number");
        const [head] = seen as [readonly unknown[]];
        assert.deepEqual([head[0], head[1], head[2]], [200, "OK", headers]);
        assert.deepEqual(seen.slice(1), ["hello", ["end", ...trailers]]);
      }
    });
  }

  for (const [what, text, end, last] of [
    ["a body that the end of the connection ends", `HTTP/1.0 200 OK\r\n\r\nhello`, "in order", "end"],
    ["a body that a reset ends", `${ok}\r\nhello`, "reset", "cut-short"],
    ["a length that is none", `${ok}Content-Length: many\r\n\r\nhello`, "in order", "end"],
    ["an empty length", `${ok}Content-Length:\r\n\r\nhello`, "in order", "end"],
    ["a body that is shorter than its length", `${ok}Content-Length: 9\r\n\r\nhello`, "in order", "cut-short"],
    ["chunks without the last one", `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, "in order", "cut-short"],
    [
      "chunks without the last line",
      `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`,
      "in order",
      "cut-short",
    ],
  ] as const) {
    it(`tells ${what} by its end`, () => {
      for (const pieceBytes of [Infinity, 1]) {
        const [, body, how] = read(text, { pieceBytes, end });
        assert.deepEqual([body, Array.isArray(how) ? how[0] : how], ["hello", last]);
      }
    });
  }

  for (const [what, text, fault] of [
    ["no HTTP", "220 mail.example ESMTP\r\n", "not-http"],
    ["a page without a head", "<h1>hello</h1>", "not-http"],
    ["a status that is none", "HTTP/1.1 OK\r\n\r\n", "not-http"],
    ["a NUL in a value", `${ok}X: y\0z\r\n${sized}`, "not-http"],
    ["a length that can't be counted", `${ok}Content-Length: 99999999999999999999\r\n\r\n`, "not-http"],
    ["two lengths", `${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`, "not-http"],
    ["a head without an end", `${ok}${"X: y\r\n".repeat(50_000)}`, "head-too-large"],
    ["sizes that are none", `${ok}Transfer-Encoding: chunked\r\n\r\nmany\r\n`, "broken-chunks"],
    ["a chunk that is longer than its size", `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n`, "broken-chunks"],
  ] as const) {
    it(`stops at ${what}`, () => assert.equal(read(text).at(-1), fault));
  }

  for (const [what, text, isForHead] of [
    ["to HEAD", `${ok}Content-Length: 5\r\n\r\n`, true],
    ["to HEAD, with chunks", `${ok}Transfer-Encoding: chunked\r\n\r\n`, true],
    ["with 204", "HTTP/1.1 204 No Content\r\n\r\n", false],
    ["with 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false],
  ] as const) {
    it(`waits for no body after an answer ${what}`, () => {
      const seen = read(text, { isForHead });
      assert.deepEqual(seen.slice(1), ["", ["end"]]);
    });
  }

  it("tells when more comes than was asked for", () => {
    assert.deepEqual(read(`${ok}${sized} and more`).at(-1), "more than asked for");
    assert.deepEqual(read(`${ok}${sized}${ok}${sized}`).at(-1), "more than asked for");
  });

  it("reads an answer in any pieces as it reads it in one", () => {
    const parts = [
      ok,
      "HTTP/1.0 200\r\n",
      "HTTP/1.1 103 x\r\n",
      "Content-Length: 3\r\n",
      "Transfer-Encoding: chunked\r\n",
    ];
    parts.push("\r\n", "\n", "\r", "abc", "3\r\n", "0\r\n", ";", ":", " ", "\0", "X", "\xff");
    check(
      property(
        array(constantFrom(...parts), { maxLength: 20 }),
        integer({ min: 1, max: 30 }),
        constantFrom("in order", "reset", undefined),
        (all, pieceBytes, end) => {
          const text = all.join("");
          assert.deepEqual(read(text, { pieceBytes, end }), read(text, { end }));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
