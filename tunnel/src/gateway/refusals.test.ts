import assert from "node:assert/strict";
import { mayRefuseName, refusesName, serverOf } from "./refusals.ts";

describe("refusals of the public name", () => {
  for (const [server, status, body] of [
    ["Vite", 403, 'Blocked request. This host ("x.dev") is not allowed.'],
    ["webpack-dev-server", 403, "Invalid Host header"],
    ["webpack-dev-server", 200, "Invalid Host header"],
    ["Next.js", 403, "Unauthorized"],
    ["Django", 400, "<title>DisallowedHost\n at /</title>"],
    ["Rails", 403, "<h1>Blocked hosts: x.dev</h1>"],
    ["IIS Express", 400, "<h2>Bad Request - Invalid Hostname</h2>"],
    [undefined, 401, ""],
    [undefined, 0, ""],
  ] as const) {
    it(`of ${server ?? "a server that is not known"}, with ${status}`, () => {
      assert.equal(refusesName(status, body), true);
      assert.equal(serverOf(status, body), server);
    });
  }

  it("are not what merely looks like one", () => {
    for (const [status, body] of [
      [404, "Blocked request. This host"],
      [200, "Invalid Host header, says the application"],
      [302, ""],
      [500, "DisallowedHost"],
    ] as const)
      assert.equal(refusesName(status, body), false, `${status} ${body}`);
  });

  it("let nearly every answer pass without a question", () => {
    assert.equal(mayRefuseName(200, ["Content-Length", "19"]), true);
    for (const status of [400, 401, 403, 421]) assert.equal(mayRefuseName(status, []), true);
    for (const status of [200, 204, 304, 404, 500])
      assert.equal(mayRefuseName(status, ["Content-Length", "20"]), false);
  });
});
