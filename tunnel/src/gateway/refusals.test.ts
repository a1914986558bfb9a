import assert from "node:assert/strict";
import { mayBeRefusal, refusedBy } from "./refusals.ts";

describe("refusals of the public name", () => {
  const html = ["Content-Type", "text/html"];
  for (const [server, status, body, target] of [
    ["Vite", 403, 'Blocked request. This host ("x.dev") is not allowed.', "/"],
    ["webpack-dev-server", 403, "Invalid Host header", "/"],
    ["webpack-dev-server", 200, "Invalid Host header", "/"],
    ["Next.js", 403, "Unauthorized", "/_next/static/x.js"],
    ["Next.js", 0, "Unauthorized", "/_next/hmr?id=1"],
    ["Django", 400, "<title>DisallowedHost\n at /</title>", "/"],
    ["Rails", 403, "<h1>Blocked hosts: x.dev</h1>", "/"],
  ] as const) {
    it(`of ${server}, with ${status}`, () => assert.equal(refusedBy(status, target, Buffer.from(body)), server));
  }

  it("are not what merely looks like one", () => {
    assert.equal(refusedBy(403, "/", Buffer.from("Unauthorized")), undefined);
    assert.equal(refusedBy(403, "/_next/x", Buffer.from("Unauthorized, says the application")), undefined);
    assert.equal(refusedBy(404, "/", Buffer.from("Blocked request. This host")), undefined);
  });

  it("let nearly every answer pass without a look", () => {
    assert.equal(mayBeRefusal(200, [...html, "Content-Length", "19"]), true);
    assert.equal(mayBeRefusal(403, html), true);
    assert.equal(mayBeRefusal(200, html), false);
    assert.equal(mayBeRefusal(200, [...html, "Content-Length", "5000"]), false);
    assert.equal(mayBeRefusal(403, ["Content-Type", "application/json"]), false);
    assert.equal(mayBeRefusal(403, [...html, "Content-Encoding", "br"]), false);
    assert.equal(mayBeRefusal(404, html), false);
  });
});
