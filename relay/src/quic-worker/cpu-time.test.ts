import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { platformReason, skipUnless, until } from "@porthole/testing";
import { CpuTime, processorUse, type ProcessorUse } from "./cpu-time.ts";

describe("how much of the time a process had itself", () => {
  it("is all of it while it does not want to run, and what it was given while it does", () => {
    const uses: ProcessorUse[] = [
      { state: "R", usedMs: 500 },
      { state: "S", usedMs: 700 },
      { state: "R", usedMs: 710 },
      { state: "R", usedMs: 710 },
      { state: "R", usedMs: 970 },
      { state: "T", usedMs: 970 },
      { state: "D", usedMs: 970 },
    ];
    const own = new CpuTime(() => uses.shift());
    assert.deepEqual(
      Array.from({ length: 8 }, () => own.of(250)),
      [250, 250, 10, 0, 250, 250, 250, 250],
    );
  });

  describe("on Linux", () => {
    const children: ChildProcess[] = [];

    before(function () {
      skipUnless(this, process.platform === "linux", platformReason("Only Linux tells it in a file"));
    });

    afterEach(async () => {
      for (const child of children.splice(0)) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
    });

    function run(code: string): number {
      const child = spawn(process.execPath, ["-e", `process.title = "a) S 1 (b"; ${code}`], { stdio: "ignore" });
      children.push(child);
      return child.pid ?? 0;
    }

    it("is read from a process that runs, one that is stopped and one that waits", async () => {
      const busy = run("for (;;);");
      await until(() => processorUse(busy)?.state === "R" && (processorUse(busy)?.usedMs ?? 0) > 1_000, "it was busy");
      process.kill(busy, "SIGSTOP");
      await until(() => processorUse(busy)?.state === "T", "it was stopped");
      const idle = run("setInterval(() => {}, 1 << 30);");
      await until(() => processorUse(idle)?.state === "S", "it had nothing to do");
    });

    it("is unknown of a process that is gone", async () => {
      const pid = run("");
      await once(children[0] as ChildProcess, "exit");
      children.length = 0;
      assert.equal(processorUse(pid), undefined);
    });
  });
});
