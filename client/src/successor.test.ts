import assert from "node:assert/strict";
import { successorOf } from "./successor.ts";

describe("successorOf", () => {
  const of = (env: Record<string, string> = {}, pid = 4_000, ppid = 3_000) =>
    successorOf({ pid, ppid, env, execPath: "node", execArgv: ["--x"], argv: ["node", "main.js", "3000", "--json"] });

  it("is the same command", () => {
    const { command, args, afterMs } = of() ?? {};
    assert.deepEqual([command, args, afterMs], ["node", ["--x", "main.js", "3000", "--json"], 0]);
  });

  it("has a successor of its own only once it has lived for a minute, and hands its mark to nobody", () => {
    const env = { ...of()?.env };
    assert.equal(of(env)?.afterMs, 60_000);
    assert.deepEqual(env, {});
  });

  it("is left to whatever starts the process again anyway", () => {
    assert.equal(of({ SYSTEMD_EXEC_PID: "4000" }), undefined);
    assert.equal(of({}, 1, 0), undefined);
    assert.equal(of({ container: "podman" }, 7, 1), undefined);
    // A shell in a terminal that a service manager has started.
    assert.ok(of({ SYSTEMD_EXEC_PID: "77" }));
    assert.ok(of({ container: "podman" }));
  });
});
