import assert from "node:assert/strict";
import { toJsonSchema } from "@valibot/to-json-schema";
import { projectPort } from "@porthole/tunnel/settings";
import { projectPortProperties } from "../manifest/index.ts";
import { narrowed, projectOptions, readProjectPorts } from "./project-port.ts";

describe("readProjectPorts", () => {
  it("reads what the schema of the setting says", () => {
    const { properties } = toJsonSchema(projectPort, { errorMode: "ignore" });
    const shown = Object.fromEntries(
      Object.entries(projectPortProperties).map(([name, { markdownDescription: _text, ...schema }]) => [name, schema]),
    );
    assert.deepEqual(shown, properties);
  });

  it("reads every setting, and one text for a list of one", () => {
    const entry = {
      ...{ label: "web", local: "https://localhost:5173", "local-proxy-protocol": true, mode: "http" },
      ...{ headers: "localhost", name: "shop", route: ["/api=4000"], inspect: false, redact: "X-Secret" },
      ...{ "access-share": true, "access-webhook": "github", "access-address": ["10.0.0.0/8"] },
      ...{ "access-path": ["/shop/*"], "access-for": "2h", "auto-expose": ["open", "task dev", "launch Server"] },
    };
    assert.deepEqual(Object.keys(entry).toSorted(), Object.keys(projectPortProperties).toSorted());
    assert.deepEqual(readProjectPorts({ "5173": entry }), { ports: [{ ...entry, port: 5_173 }], problems: [] });
    assert.deepEqual(projectOptions({ port: 1, route: "/api=4000" }).routes, [{ path: "/api", local: "4000" }]);
  });

  for (const [what, value] of [
    ["a port out of range", { "70000": {} }],
    ["what is no port", { web: {} }],
    ["a list", { "3000": [] }],
    ["a name that does not exist", { "3000": { "access-open": true } }],
    ["a password", { "3000": { "access-basic": "ada:s3cret" } }],
    ["a relay", { "3000": { server: "hostile.example" } }],
    ["a name of the prototype", { "3000": { constructor: "x" } }],
    ["a mode that does not exist", { "3000": { mode: "udp" } }],
    ["a number instead of texts", { "3000": { "access-path": 5 } }],
    ["an endless text", { "3000": { name: "x".repeat(501) } }],
    ["a key file", { "3000": { "secondary-key": "../../id_rsa" } }],
    ["a time without a unit", { "3000": { "access-for": "2" } }],
    ["a trigger that does not exist", { "3000": { "auto-expose": ["always"] } }],
  ] as const)
    it(`leaves out an entry with ${what}`, () => {
      const { ports, problems } = readProjectPorts({ ...value, "4000": { label: "fine" } });
      assert.deepEqual(ports, [{ port: 4_000, label: "fine" }]);
      assert.equal(problems.length, 1);
    });

  for (const value of [undefined, null, 5, "3000", []])
    it(`takes ${JSON.stringify(value)} for no ports`, () =>
      assert.deepEqual(readProjectPorts(value), { ports: [], problems: [] }));
});

describe("what a project does to a tunnel", () => {
  it("is written in the daemon's words", () => {
    assert.deepEqual(projectOptions({ port: 1, name: "shop", mode: "http", route: ["/api=http://localhost:1/?a=b"] }), {
      name: "shop",
      mode: "http",
      routes: [{ path: "/api", local: "http://localhost:1/?a=b" }],
    });
    assert.deepEqual(projectOptions({ port: 1 }), {});
  });

  it("narrows who may visit, and never widens it", () => {
    const lists = { "access-address": ["10.0.0.0/8", "!10.1.0.0/16"], "access-path": ["/a/*", "!/a/b"] };
    const port = { port: 1, ...lists };
    assert.deepEqual(narrowed({}, port, 5), {
      addresses: lists["access-address"],
      paths: lists["access-path"],
      endsAt: 5,
    });
    const own = { users: ["ada:s3cret"], addresses: ["192.0.2.1"], paths: ["/x"], endsAt: 3 };
    assert.deepEqual(narrowed(own, port, 5), {
      ...own,
      addresses: ["192.0.2.1", "!10.1.0.0/16"],
      paths: ["/x", "!/a/b"],
    });
    assert.deepEqual(narrowed({ endsAt: 9 }, { port: 1 }, 5), { endsAt: 5 });
    assert.deepEqual(narrowed({ addresses: ["!192.0.2.1"] }, port, undefined), {
      addresses: ["!192.0.2.1", "10.0.0.0/8", "!10.1.0.0/16"],
      paths: lists["access-path"],
    });
    assert.deepEqual(narrowed(own, { port: 1, "access-share": true, "access-webhook": "github" }, undefined), own);
  });
});
