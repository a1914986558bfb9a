import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { whyNoPebble } from "@porthole/testing/pebble";
import { skipUnless } from "@porthole/testing/skip";
import { runGroup } from "../test/run-group.ts";
import { leaveOut } from "./left-out.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

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
        entryPoints: ["common/src/acme/pebble.test.ts"],
        outfile: file,
        ...{ bundle: true, platform: "node", format: "esm", plugins: [leaveOut], logLevel: "silent" },
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
