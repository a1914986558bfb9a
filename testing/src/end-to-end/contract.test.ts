import assert from "node:assert/strict";
import { requestSchemas } from "@porthole/tunnel/rpc/contract";
import { contractNames, assertContract } from "./contract.ts";

const state = { endpoints: [] };
const visit = {
  ...{ role: "primary", address: "192.0.2.1", hostname: "a.example", traceId: "1" },
  ...{ transport: "http2", mode: "http", durationMs: 1.5, bytesIn: 0, bytesOut: 7 },
};

describe("the published contract", () => {
  it("has a result for every request, and all of it can be compiled", () => {
    const names = contractNames();
    for (const method of Object.keys(requestSchemas)) assert.ok(names.includes(method), method);
    // An answer that no schema takes: what is compared is the schema, not the answer.
    for (const name of names) assert.throws(() => assertContract(name, 1), /must be object/, name);
  });

  for (const [name, said, isFine] of [
    ["tunnel/start", { id: "web", state }, true],
    ["tunnel/start", { id: "web" }, false],
    ["tunnel/start", { id: 1, state }, false],
    ["tunnel/start", { id: "web", state, more: true }, false],
    ["tunnel/visit", { id: "web", visit }, true],
    ["tunnel/visit", { id: "web", visit: { ...visit, transport: "carrier pigeon" } }, false],
    ["tunnel/visit", { id: "web", visit: { ...visit, bytesIn: -1 } }, false],
    ["tunnel/stop", {}, true],
  ] as const)
    it(`${isFine ? "takes" : "refuses"} ${name} ${JSON.stringify(said)}`, () => {
      if (isFine) assertContract(name, said);
      else assert.throws(() => assertContract(name, said), new RegExp(name));
    });
});
