import assert from "node:assert/strict";
import type { Method } from "./contract/index.ts";
import { readParams } from "./params.ts";

const spec = { id: "web", primary: { identity: { pem: "x" }, local: "3000" } };

describe("parameters of a request", () => {
  it("are what the contract says, without what it does not know", () => {
    assert.deepEqual(readParams("tunnel/start", { ...spec, later: true }), spec);
    assert.deepEqual(readParams("tunnel/list", undefined), {});
    assert.deepEqual(readParams("tunnel/list", { anything: 1 }), {});
    const changes = { secondary: null, name: null, primary: { local: "1" } };
    assert.deepEqual(readParams("tunnel/update", { id: "web", changes }), { id: "web", changes });
    assert.deepEqual(readParams("doctor", { spec }), { spec });
  });

  const wrong: readonly [Method, unknown, string][] = [
    ["initialize", {}, "rpcVersion is missing"],
    ["initialize", { rpcVersion: "1" }, "rpcVersion should be a number, and is a string"],
    ["tunnel/start", { ...spec, id: "" }, "id should be something, and is empty"],
    ["tunnel/start", { ...spec, id: "x".repeat(201) }, "id should be at most 200, and is a string"],
    ["tunnel/start", { id: "web" }, "primary is missing"],
    ["tunnel/start", { ...spec, primary: [] }, "primary.identity is missing"],
    ["tunnel/start", { ...spec, primary: null }, "primary should be an object, and is null"],
    [
      "tunnel/start",
      { ...spec, primary: { local: "1", identity: {} } },
      "primary.identity should be an object with pem, path or publicKey, and is an object",
    ],
    [
      "tunnel/start",
      { ...spec, primary: { local: "1", identity: { pem: 5 } } },
      "primary.identity.pem should be a string, and is a number",
    ],
    ["tunnel/start", { ...spec, secondary: null }, "secondary should be an object, and is null"],
    ["tunnel/start", { ...spec, relays: {} }, "relays should be an array, and is an object"],
    [
      "tunnel/start",
      { ...spec, relays: [{ address: "a" }, { address: 1 }] },
      "relays.1.address should be a string, and is a number",
    ],
    ["tunnel/start", { ...spec, transport: "tcp" }, 'transport should be ("auto" | "quic" | "h2"), and is a string'],
    ["tunnel/start", { ...spec, poolSize: 1.5 }, "poolSize should be a whole number, and is a number"],
    ["tunnel/start", { ...spec, poolSize: 33 }, "poolSize should be at most 32, and is a number"],
    ["tunnel/update", { id: "web", changes: { primary: null } }, "changes.primary should be an object, and is null"],
    ["identity/import", { pem: "x", passphrase: "" }, "passphrase should be something, and is empty"],
    ["relay/add", {}, "params should be an object with relay or invite, and is an object"],
    ["doctor", { spec: { ...spec, id: 1 } }, "spec.id should be a string, and is a number"],
    ["tunnel/list", [1], "params should be an object, and is an array"],
    ["tunnel/start", { ...spec, access: ["user:password"] }, "access should be an object, and is an array"],
    ["tunnel/start", { ...spec, inspect: [] }, "inspect should be an object, and is an array"],
    [
      "tunnel/update",
      { id: "web", changes: { primary: ["local"] } },
      "changes.primary should be an object, and is an array",
    ],
  ];
  for (const [method, params, message] of wrong) {
    it(`${method}: ${message}`, () =>
      assert.throws(() => readParams(method, params), { code: "usage", message: `${method}: ${message}` }));
  }

  it("are never repeated in an error: they may be keys", () => {
    const secret = "-----BEGIN PRIVATE KEY-----";
    for (const params of [{ pem: { secret } }, { pem: "x", passphrase: [secret] }, { [secret]: 1 }])
      assert.throws(
        () => readParams("identity/import", params),
        (error: Error) => !error.message.includes("PRIVATE"),
      );
  });
});
