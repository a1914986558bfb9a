import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startExample } from "@porthole/testing/example";
import { runCli, soon, startTestRelay, useScope } from "@porthole/testing/end-to-end";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "examples");

describe("examples", function () {
  this.timeout(120_000);
  const scope = useScope();

  async function invited(): Promise<string> {
    const stateDir = await scope.folder();
    const keys = join(stateDir, "keys.txt");
    await writeFile(keys, "# nobody\n");
    const relay = await startTestRelay(scope, {
      args: ["--state-dir", stateDir, "--domain-suffix", "t.localhost", "--authorized-keys", keys],
    });
    const address = ["--address", `127.0.0.1:${relay.apiPort}`];
    const { stdout } = await runCli(scope, "relay", ["invite", ...address, "--state-dir", stateDir, "--json"]);
    return (JSON.parse(stdout) as { readonly porthole: string }).porthole;
  }

  it("each have a README, and all are listed", async () => {
    const index = await readFile(join(folder, "README.md"), "utf8");
    for (const entry of readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory())) {
      assert.ok(index.includes(`(${entry.name}/)`), `examples/README.md lists ${entry.name}`);
      assert.ok((await readFile(join(folder, entry.name, "README.md"), "utf8")).length > 200, entry.name);
    }
  });

  for (const name of ["nextjs", "tcp"])
    it(`${name}: porthole takes its porthole.toml`, async () => {
      const file = join(folder, name, "porthole.toml");
      const { code, stderr } = await runCli(scope, "client", ["config", "check", "--file", file]);
      // The secret of a webhook is in no repository.
      if (name === "nextjs") assert.match(stderr, /stripe\.secret/);
      else assert.equal(code, 0, stderr);
    });

  it("grpc: a client calls the service by its public name", async () => {
    const dataFolder = await scope.folder();
    const env = { PORTHOLE_INVITE: await invited(), XDG_DATA_HOME: dataFolder };
    const files = { "echo.mjs": await readFile(join(folder, "grpc", "echo.mjs"), "utf8") };
    const packages = join(root, "node_modules");
    const server = await startExample(scope, "grpc/server.mjs", { env, files, packages });
    const address = await server.line(/^[a-z2-7]{26}\.t\.localhost:\d+$/);
    // Without an authority the client keeps a self-signed certificate for its name.
    const certificate = join(dataFolder, "porthole", "self-signed", `${address.split(".", 1)[0]}.pem`);
    const client = await startExample(scope, "grpc/client.mjs", {
      ...{ args: [address], env: { GRPC_CA: certificate } },
      ...{ files, packages },
    });
    const { code } = await soon(client.exited, () => client.errors.join("\n"));
    assert.equal(code, 0, client.errors.join("\n"));
    assert.deepEqual(client.lines, ["You said: hello", "You said: one", "You said: two"]);
    assert.equal((await server.kill("SIGTERM")).code, 0);
  });
});
