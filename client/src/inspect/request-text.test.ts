import assert from "node:assert/strict";
import type { BodyView, ExchangeDetail } from "@porthole/tunnel/rpc";
import { editOf, parseHeader, requestText } from "./request-text.ts";

const headers = [
  { name: "Host", value: "localhost:3000" },
  { name: "Authorization", value: "Bearer <redacted>", redacted: true },
  { name: "Content-Length", value: "9" },
];
const detail = {
  request: { headers: [], forwarded: { service: "3000", method: "POST", target: "/a?b", headers } },
  summary: { method: "POST", target: "/a?b" },
} as unknown as ExchangeDetail;
const body = { text: "one\ntwo\n", decoding: "none" } as BodyView;

describe("a request as text to edit", () => {
  const text = requestText(detail, body);

  it("is the request as the service got it", () => {
    const lines = text.split("\n").filter((line) => !line.startsWith("#"));
    assert.deepEqual(lines, [
      "POST /a?b",
      "Host: localhost:3000",
      "Authorization: Bearer <redacted>",
      "",
      "one",
      "two",
      "",
    ]);
  });

  it("changes nothing when it is saved as it was, whatever the editor adds at the end", () => {
    assert.deepEqual(editOf(text, text), {});
    const open = requestText(detail, { ...body, text: "no end" });
    assert.deepEqual(editOf(`${open}\n`, open), {});
  });

  const edits: readonly [string, string, unknown][] = [
    ["POST /a?b", "PUT /a?b", { method: "PUT" }],
    ["/a?b", "/c", { target: "/c" }],
    ["two\n", "2\n", { body: { text: "one\n2\n" } }],
    ["Host: localhost:3000\n", "", { headers: [{ name: "Authorization", value: "Bearer <redacted>" }] }],
  ];
  for (const [from, to, expected] of edits)
    it(`${JSON.stringify(from)} becomes ${JSON.stringify(to)}`, () => {
      assert.deepEqual(editOf(text.replace(from, to), text), expected);
    });

  it("leaves a body alone that is not text, or not whole", () => {
    for (const other of [
      { base64: "AA==" },
      { text: "x", nextOffset: 1, decoding: "none" },
      { text: "x", decoding: "decoded" },
    ])
      assert.deepEqual(
        editOf(requestText(detail, other as unknown as BodyView), requestText(detail, other as unknown as BodyView)),
        {},
      );
    const binary = requestText(detail, { base64: "AA==" } as BodyView);
    assert.deepEqual(editOf(`${binary}new`, binary), { body: { text: "new" } });
  });

  it("sends nothing when it is empty, and says what is no request", () => {
    assert.equal(editOf(" \n", text), undefined);
    assert.throws(() => editOf("hello\n", text), { code: "usage", message: /first line is "hello"/ });
    assert.throws(() => editOf("GET /\nno header\n\n", text), { code: "usage", message: /not a header/ });
    assert.deepEqual(parseHeader("X-A:  b: c "), { name: "X-A", value: "b: c" });
  });
});
