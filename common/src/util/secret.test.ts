import assert from "node:assert/strict";
import { inspect } from "node:util";
import { nodeVersionWarning } from "../node-support.ts";
import { Secret } from "./secret.ts";

describe("Secret", () => {
  const secret = new Secret("hunter2");

  it("shows itself in no way but one", () => {
    const shown = [String(secret), JSON.stringify({ secret }), inspect({ deep: { secret } }), secret + ""];
    for (const text of shown) assert.ok(!text.includes("hunter2") && text.includes("<secret>"), text);
    assert.deepEqual(Object.entries(secret), []);
    assert.equal(secret.reveal(), "hunter2");
  });
});

describe("the warning about an old Node", () => {
  it("comes below 22 only", () => {
    assert.match(nodeVersionWarning("20.18.0") ?? "", /^Node 20\.18\.0 gets no security fixes/);
    for (const version of ["22.0.0", "24.1.2", "30.0.0-nightly"]) assert.equal(nodeVersionWarning(version), undefined);
  });
});
