import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { version } from "../common/src/version.ts";
import { skipUnless } from "@porthole/testing/skip";
import { buildPrograms, machineNode } from "@porthole/testing/built-programs";

describe("the bundled programs", function () {
  this.timeout(60_000);

  for (const program of ["client", "relay"] as const) {
    it(`start on the machine's own Node: ${program}`, async function () {
      const node = machineNode();
      skipUnless(this, node, "this machine has no Node beside ours");
      const path = (await buildPrograms())[program];
      const { stdout, stderr, status } = spawnSync(node.path, [path, "--version"], { encoding: "utf8" });
      assert.deepEqual([stdout.trim(), stderr, status], [version, "", 0], `Node ${node.version}`);
    });
  }
});
