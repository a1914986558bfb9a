import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { leftInGroup, signalGroup } from "./process-group.ts";

describe("leftInGroup", () => {
  it("names what runs, and nothing once it has ended", async () => {
    const sleeper = spawn("sleep", ["30"], { detached: true });
    const id = sleeper.pid as number;
    assert.match((await leftInGroup(id, 0)).join(), process.platform === "linux" ? /^\d+: sleep 30$/ : /^group/);
    signalGroup(id, "SIGKILL");
    await once(sleeper, "close");
    assert.deepEqual(await leftInGroup(id, 1_000), []);
  });

  it("takes a process that has ended for gone, though nobody has collected it", async function () {
    skipUnless(this, process.platform === "linux", platformReason("needs Linux"));
    // The job is a group of its own; `sleep` doesn't know that it is the job's parent.
    const job = "until grep -q sleep /proc/$PPID/comm; do sleep 0.05; done";
    const parent = spawn("bash", ["-c", `setsid sh -c '${job}' & echo $!; exec sleep 30`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [line] = (await once(parent.stdout, "data")) as [Buffer];
      const id = Number(line.toString());
      while (!signalGroup(id, 0)) await pause(10);
      assert.deepEqual(await leftInGroup(id, 20_000), []);
      assert.equal(signalGroup(id, 0), true, "still in the table of processes");
    } finally {
      parent.kill();
      await once(parent, "close");
    }
  });
});
