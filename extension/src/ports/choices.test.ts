import assert from "node:assert/strict";
import { isInside, portChoices, typedTarget, type KnownPort } from "./choices.ts";
import { localOf } from "./port-target.ts";

const known = (port: number, label: string, isWorkspace = false): KnownPort => ({
  target: { host: "localhost", port, scheme: undefined, label },
  pid: port,
  isWorkspace,
  isExposed: false,
});
const database = known(2024, "control");
const vite = known(5173, "node vite", true);
const api = known(38_011, "node api.js", true);
const java = known(8080, "java server.jar");
const ports = [database, vite, java, api];

describe("the rows of the list of ports", () => {
  const texts = (typed: string, among: readonly KnownPort[] = ports): string[] =>
    portChoices(typed, among).map((row) => (row.target ? localOf(row.target) : row.problem));

  it("begin with the workspace's own processes", () => {
    assert.deepEqual(texts(""), ["localhost:5173", "localhost:38011", "localhost:2024", "localhost:8080"]);
  });

  it("preselect nothing when none of them is the workspace's", () => {
    assert.deepEqual(texts("", [database, java]), [
      "Type a port, or choose one from the list",
      "localhost:2024",
      "localhost:8080",
    ]);
  });

  for (const [typed, row] of [
    ["80", "localhost:80"],
    ["8080", "localhost:8080"],
    ["localhost:80", "localhost:80"],
    ["http://localhost:5173/shop?x=1", "localhost:5173"],
    ["192.168.1.5:80", "192.168.1.5:80"],
    ["2", "localhost:2"],
  ] as const)
    it(`are only the port for ${typed}`, () => assert.deepEqual(texts(typed), [row]));

  for (const typed of ["0", "99999", "tcp://x", "localhost:", "8080x", "[::1", "nothing"])
    it(`are one sentence for ${typed}`, () => {
      const [row, ...more] = portChoices(typed, ports);
      assert.equal(row?.target, undefined);
      assert.deepEqual(more, []);
    });

  it("find processes by their names, the workspace's before others'", () => {
    assert.deepEqual(texts("vite"), ["localhost:5173"]);
    assert.deepEqual(texts("java"), ["localhost:8080"]);
    assert.deepEqual(texts("JS"), ["localhost:38011"]);
  });

  for (const [typed, among, local] of [
    ["5173", ports, "localhost:5173"],
    ["9000", ports, "localhost:9000"],
    ["9000", [], "localhost:9000"],
    ["", [vite], undefined],
    ["99999", ports, undefined],
    ["node", ports, undefined],
  ] as const)
    it(`mean ${local ?? "nothing"} when ${JSON.stringify(typed)} is accepted while they are drawn`, () => {
      const target = typedTarget(typed, among);
      assert.equal(target && localOf(target), local);
    });

  it("know which processes are the workspace's", () => {
    assert.ok(isInside("/home/ada/app", ["/home/ada/app"]));
    assert.ok(isInside("/home/ada/app/web", ["/srv", "/home/ada/app/"]));
    assert.ok(!isInside("/home/ada/app2", ["/home/ada/app"]));
    assert.ok(!isInside(undefined, ["/"]));
  });
});
