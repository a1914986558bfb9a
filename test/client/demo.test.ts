import assert from "node:assert/strict";
import { join } from "node:path";
import { runCli, startCli, useScope } from "@porthole/testing/end-to-end";

describe("porthole demo", function () {
  this.timeout(120_000);
  const scope = useScope();
  const ports = ["--api-port", "0", "--pub-port", "0"];

  it("is the client that other commands reach, in its own folder and without a name for it", async () => {
    const home = await scope.folder();
    const env = { HOME: home, XDG_DATA_HOME: join(home, "data"), LOCALAPPDATA: home };
    const named = join(home, "named");
    for (const folder of [[], ["--state-dir", named]]) {
      const demo = startCli(scope, "client", ["demo", ...ports, ...folder], { env });
      await demo.line(/^Checked: .* status 200 /);
      const list = await runCli(scope, "client", ["inspect", "list", "--json", ...folder], { env });
      assert.match(list.stdout, /"status":200/, list.stderr);
      const second = await runCli(scope, "client", ["demo", ...ports, ...folder], { env });
      assert.equal(second.code, 1);
      assert.match(second.stderr, /Another client is running with the state folder .*porthole stop/s);
      assert.equal((await runCli(scope, "client", ["stop", ...folder], { env })).code, 0);
      assert.equal((await demo.exited).code, 0);
    }
    const { code, stderr } = await runCli(scope, "client", ["inspect", "list"], { env });
    assert.deepEqual([code, /No client is running/.test(stderr)], [1, true], stderr);
  });
});
