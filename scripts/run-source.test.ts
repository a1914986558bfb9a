import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { version } from "../common/src/version.ts";

const root = join(import.meta.dirname, "..");

describe("a checkout that nobody has built", function () {
  this.timeout(60_000);
  for (const program of ["client/bin/porthole.js", "relay/bin/porthole-relay.js"])
    it(`runs ${program} from its sources`, async () => {
      const { stdout } = await promisify(execFile)(process.execPath, [join(root, program), "--version"]);
      assert.equal(stdout.trim(), version);
    });
});
