import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { get, runCli, siteAt, startTestRelay, useScope, type Running } from "@porthole/testing/end-to-end";
import { startExample } from "@porthole/testing/example";
import { frameworkPackages } from "./packages.ts";

describe("examples of programs that expose themselves", function () {
  this.timeout(300_000);
  const scope = useScope();
  let invite: string;
  let dataDir: string;
  let packages: string;

  beforeEach(async () => {
    packages = join(frameworkPackages(), "node_modules");
    const relayDir = await scope.folder();
    dataDir = await scope.folder();
    const relay = await startTestRelay(scope, { args: ["--state-dir", relayDir, "--domain-suffix", "t.localhost"] });
    const address = ["--address", `127.0.0.1:${relay.apiPort}`];
    const { stdout } = await runCli(scope, "relay", ["invite", ...address, "--state-dir", relayDir, "--json"]);
    invite = (JSON.parse(stdout) as { readonly porthole: string }).porthole;
  });

  const env = () => ({ PORTHOLE_INVITE: invite, XDG_DATA_HOME: dataDir });

  async function visit(program: Running): Promise<string> {
    const line = await program.line(/https:\/\/\S+\.t\.localhost/);
    const folder = join(dataDir, "porthole", "self-signed");
    const [certificate = ""] = await readdir(folder);
    return get(siteAt(/https:\/\/[^\s/]+/.exec(line)?.[0] ?? "", join(folder, certificate)));
  }

  it("an Express app", async () => {
    const program = await startExample(scope, "express/express-app.mjs", { packages, env: env() });
    assert.equal(await visit(program), "Hello from Express");
    await program.line(/^GET \/ 200 /);
    assert.equal((await program.kill("SIGTERM")).code, 0);
  });

  it("a Vite plugin", async () => {
    const config = `import { porthole } from "./vite-plugin-porthole.mjs";
export default { logLevel: "info", clearScreen: false, plugins: [porthole({ invite: process.env.PORTHOLE_INVITE })] };`;
    const program = await startExample(scope, "vite/vite-plugin-porthole.mjs", {
      ...{ packages, env: env() },
      argv: [join(packages, "vite", "bin", "vite.js"), "--port", "0", "--config", "vite.config.mjs", "--"],
      files: { "vite.config.mjs": config, "index.html": "<h1>Hello from Vite</h1>" },
    });
    assert.match(await visit(program), /Hello from Vite/);
    await program.kill("SIGTERM");
  });
});
