import assert from "node:assert/strict";
import { isPublicName } from "./is-public-name.ts";

describe("public names", () => {
  it("are those that a public CA could know", () => {
    for (const name of ["a.tunnel.dev", "example.dev", "a.notlocal"]) assert.ok(isPublicName(name), name);
    for (const name of ["localhost", "a.localhost", "a.b.test", "x.example.com", "x.home.arpa", "x.internal"])
      assert.ok(!isPublicName(name), name);
  });
});
