import assert from "node:assert/strict";
import { nameTargets, parseTarget } from "./targets.ts";

function named(texts: readonly string[], isMainTaken = false): readonly string[] {
  return nameTargets(
    texts.map((text) => parseTarget(text)),
    isMainTaken,
  ).map(({ name, service }) => `${name}=${service.text}`);
}

describe("targets", () => {
  it("take their names from the user, the client, or the port", () => {
    assert.deepEqual(named(["3000"]), ["main=3000"]);
    assert.deepEqual(named(["3000", "4000"]), ["main=3000", "4000=4000"]);
    assert.deepEqual(named(["web=3000", "hook=tcp://127.0.0.1:6379"]), ["web=3000", "hook=tcp://127.0.0.1:6379"]);
    assert.deepEqual(named(["web=3000", "4000"]), ["web=3000", "main=4000"]);
    assert.deepEqual(named(["main=3000", "4000"]), ["main=3000", "4000=4000"]);
    assert.deepEqual(named(["5000"], true), ["5000=5000"]);
    assert.deepEqual(named(["unix:/run/App.sock"], true), ["app.sock=unix:/run/App.sock"]);
    assert.deepEqual(named(["web=unix:/run/a=b.sock"]), ["web=unix:/run/a=b.sock"]);
  });

  it("can't share a name, or have one that is no file name", () => {
    assert.throws(() => named(["web=1", "web=2"]), { code: "usage", message: /Two tunnels are called web/ });
    assert.throws(() => named(["1", "2", "host:2"]), { code: "usage", hint: /NAME=host:2/ });
    for (const text of ["Web=3000", "=3000", "..=3000", "a b=3000"])
      assert.throws(() => parseTarget(text), { code: "usage", message: /can't be the name/ });
    assert.throws(() => parseTarget("web=x"), { code: "usage", message: /"x" is not a local service/ });
    assert.throws(() => parseTarget("3000/path"), { code: "usage" });
  });
});
