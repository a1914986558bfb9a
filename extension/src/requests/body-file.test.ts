import assert from "node:assert/strict";
import type { ExchangeDetail } from "@porthole/tunnel/rpc";
import { bodyExtension, bodyText, exchangeText } from "./body-file.ts";
import type { WholeBody } from "@porthole/tunnel/requests";

const body = (contentType: string, format: WholeBody["format"], base64?: string[]): WholeBody =>
  ({ info: { contentType }, format, ...(base64 ? { base64 } : { text: "" }) }) as WholeBody;

describe("a body as a file", () => {
  for (const [given, expected] of [
    [body("application/json; charset=utf-8", "json"), "json"],
    [body("application/problem+json", "json"), "json"],
    [body("text/html", "html"), "html"],
    [body("image/svg+xml", "xml"), "svg"],
    [body("application/rss+xml", "xml"), "xml"],
    [body("text/css", "text"), "css"],
    [body("text/x-python", "text"), "python"],
    [body("text/javascript", "text"), "js"],
    [body("image/png", "image", ["AQ=="]), "png"],
    [body("application/x-www-form-urlencoded", "form"), "txt"],
    [body("", "text"), "txt"],
    [body("../../etc/passwd", "text"), "txt"],
    [body("application/octet-stream", "binary", ["AQ=="]), "bin"],
  ] as const)
    it(`of ${given.info.contentType} ends in .${expected}`, () => assert.equal(bodyExtension(given), expected));

  it("has JSON in lines, and everything else as it is", () => {
    assert.equal(bodyText('{"a":[1]}', "json"), '{\n  "a": [\n    1\n  ]\n}\n');
    assert.equal(bodyText("{broken", "json"), "{broken");
    assert.equal(bodyText('{"a":1}', "txt"), '{"a":1}');
  });

  it("is a part of the whole exchange", () => {
    const detail = {
      summary: { method: "POST", target: "/a", httpVersion: "1.1" },
      request: { headers: [{ name: "A", value: "1" }] },
      response: { status: 201, statusText: "Created", headers: [{ name: "B", value: "2" }] },
    } as unknown as ExchangeDetail;
    assert.equal(
      exchangeText(detail, { request: "one", response: "two" }),
      "POST /a HTTP/1.1\nA: 1\n\none\n\n###\n\nHTTP/1.1 201 Created\nB: 2\n\ntwo\n",
    );
    const { response: _response, ...open } = detail;
    assert.equal(exchangeText(open, { request: "", response: "" }), "POST /a HTTP/1.1\nA: 1\n");
  });
});
