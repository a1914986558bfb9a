import assert from "node:assert/strict";
import type { ExchangeDetail } from "../rpc/index.ts";
import { editableText, editOf, parseRequestText, recordedBody, requestText } from "./http-text.ts";

const detail = (more: object = {}): ExchangeDetail =>
  ({
    summary: { method: "POST", target: "/public" },
    request: {
      headers: [],
      body: { state: "complete" },
      forwarded: {
        method: "POST",
        target: "/hook?token=<redacted>",
        headers: [
          { name: "Host", value: "localhost:3000" },
          { name: "Content-Length", value: "6" },
          { name: "X-Empty", value: "" },
        ],
      },
    },
    replay: { possible: true },
    ...more,
  }) as unknown as ExchangeDetail;

describe("a request as a text", () => {
  it("is written and read back", () => {
    const request = {
      method: "PUT",
      target: "/a?b=c",
      headers: [
        { name: "Host", value: "a" },
        { name: "X-Empty", value: "" },
      ],
      body: "one\n\n# two\n",
    };
    assert.deepEqual(parseRequestText(requestText(request, ["a note"])), request);
    const { body: _body, ...bare } = request;
    assert.deepEqual(parseRequestText(requestText(bare)), bare);
  });

  it("reads what people write", () => {
    assert.deepEqual(parseRequestText("\n# note\n\nGET /x HTTP/1.1\r\nx-two:  a: b \r\n# note\nY:1"), {
      method: "GET",
      target: "/x",
      headers: [
        { name: "x-two", value: "a: b" },
        { name: "Y", value: "1" },
      ],
    });
  });

  for (const [text, message] of [
    ["", /first line/],
    ["GET", /first line/],
    ["GET /a b c", /first line/],
    ["GET /a\nnot a header", /not a header: not a header/],
  ] as const)
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseRequestText(text), { code: "usage", message }));

  it("sends the recorded bytes unless the body was changed", () => {
    const recorded = { text: "a\r\nb\r\n", isWhole: true };
    const text = editableText(detail(), recorded, "How to send it.");
    assert.match(
      text,
      /^# .*\n# <redacted> keeps .*\nPOST \/hook\?token=<redacted>\nHost: localhost:3000\nX-Empty: \n\na\nb\n$/,
    );
    const headers = [
      { name: "Host", value: "localhost:3000" },
      { name: "X-Empty", value: "" },
    ];
    const edit = { method: "POST", target: "/hook?token=<redacted>", headers };
    assert.deepEqual(editOf(text, recorded), edit);
    assert.deepEqual(editOf(text.replaceAll("\n", "\r\n"), recorded), edit);
    assert.deepEqual(editOf(`${text}c`, recorded), { ...edit, body: { text: "a\r\nb\r\nc" } });
  });

  it("has a line for bytes that are no text", () => {
    const text = editableText(detail(), { isWhole: true });
    assert.ok(text.endsWith(`\n\n${recordedBody}`));
    assert.equal(editOf(text, { isWhole: true }).body, undefined);
    assert.deepEqual(editOf(text.replace(recordedBody, "mine"), { isWhole: true }).body, { text: "mine" });
  });

  it("wants a body where only the beginning was kept", () => {
    const replay = { possible: false, why: "Only the beginning was kept." };
    const text = editableText(detail({ replay }), { isWhole: false });
    assert.match(text, /# Only the beginning was kept\.\n/);
    assert.deepEqual(editOf(text, { isWhole: false }).body, { text: "" });
  });
});
