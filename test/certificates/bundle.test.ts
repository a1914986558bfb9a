import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { whyNoPebble } from "@porthole/testing/pebble";
import { skipUnless } from "@porthole/testing/skip";
import { runGroup } from "../../scripts/test/run-group.ts";
import { leaveOut } from "../../scripts/bundle/left-out.ts";

const root = join(import.meta.dirname, "../..");

describe("what bundles leave out", function () {
  this.timeout(90_000);

  it("is not needed to get certificates", async function () {
    const reason = whyNoPebble();
    skipUnless(this, reason === undefined, reason ?? "");
    const folder = await mkdtemp(join(tmpdir(), "porthole-left-out-"));
    try {
      const file = join(folder, "pebble.test.mjs");
      await build({
        absWorkingDir: root,
        entryPoints: ["test/certificates/authority.test.ts"],
        outfile: file,
        ...{
          bundle: true,
          platform: "node",
          format: "esm",
          conditions: ["source"],
          plugins: [leaveOut],
          logLevel: "silent",
        },
        banner: {
          js: 'import { createRequire as bundleRequire } from "node:module"; const require = bundleRequire(import.meta.url);',
        },
      });
      const { passed, failed } = await runGroup({
        ...{ root, files: [file], mochaArgs: ["-g", "visitor trusts|external account|keeps a certificate"] },
        ...{ signal: AbortSignal.timeout(80_000), output: "ignore" },
      });
      assert.deepEqual([passed.length, failed], [3, []]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
