import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv } from "ajv";
import { parse } from "smol-toml";
import type { Relay } from "@porthole/relay";
import { runCli, startCli, startHttp, startTestRelay, useScope } from "@porthole/testing/end-to-end";

describe("porthole.toml", function () {
  this.timeout(120_000);
  const scope = useScope();
  let folder: string;
  let stateDir: string;
  let relay: Relay;

  beforeEach(async () => {
    [folder, stateDir, relay] = [await scope.folder(), await scope.folder(), await startTestRelay(scope)];
  });

  const porthole = (argv: readonly string[], cwd = folder) =>
    runCli(scope, "client", [...argv, ...(argv[0] === "init" ? [] : ["--state-dir", stateDir])], { cwd });

  it("is written for a folder, checked, exposed and ended, from a folder below it too", async () => {
    const api = join(folder, "api");
    await mkdir(api);
    await writeFile(join(folder, "package.json"), '{"devDependencies":{"vite":"7.0.0"}}');
    await writeFile(join(api, "requirements.txt"), "flask\n");
    const written = await porthole(["init"]);
    assert.equal(written.code, 0, written.stderr);
    assert.match(written.stdout, /web: port 5173 \(vite in package\.json\)\n *api: port 5000/);
    assert.equal((await porthole(["init"])).code, 1);
    const path = join(folder, "porthole.toml");
    const text = await readFile(path, "utf8");
    assert.equal((await porthole(["config", "check"], api)).code, 0);
    const { port } = await startHttp(scope, (_request, response) => response.end("web"));
    const here = `server = "127.0.0.1:${relay.apiPort}"\nacme = false\ntransport = "h2"\n`;
    await writeFile(path, here + text.replace("5173", String(port)).replace(/project = .*/, 'project = "shop"'));
    const client = startCli(scope, "client", ["up", "--state-dir", stateDir], { cwd: api });
    await client.line(/^shop\.web +online/);
    await client.line(/^shop\.api +online/);
    const listed = await porthole(["ls"]);
    assert.match(listed.stdout, new RegExp(`^shop\\.web +https:\\S+ +${port} +online`, "m"));
    assert.match((await porthole(["down", "api"])).stdout, /^Stopped: shop\.api\.$/);
    assert.equal(client.child.exitCode, null);
    assert.match((await porthole(["down"], api)).stdout, /^Stopped: shop\.web\.$/);
    assert.equal((await client.exited).code, 0);
  });

  it("fits the published schema, which refuses what the client refuses", async () => {
    const schema = JSON.parse(
      await readFile(join(import.meta.dirname, "../../client/porthole.schema.json"), "utf8"),
    ) as object;
    const fits = new Ajv({ strict: false }).compile(schema);
    const good =
      'project = "shop"\nserver = ["a", "b"]\n[tunnels.web]\nlocal = 3000\nroute = "/a=1"\naccess-for = "2h"\n';
    assert.equal(fits(parse(good)), true, JSON.stringify(fits.errors));
    for (const text of [
      "[tunnels.Web]\nlocal = 1\n",
      "[tunnels.web]\nlocla = 1\n",
      "mode = 'udp'\n",
      "[tunnels.web]\nlocal = 99999\n",
    ]) {
      assert.equal(fits(parse(text)), false, text);
      const path = join(folder, "porthole.toml");
      await writeFile(path, text);
      const { code, stderr } = await porthole(["config", "check"]);
      assert.equal(code, 2);
      assert.ok(stderr.includes(path), stderr);
    }
  });

  it("is missed with a hint, and knows its tunnels", async () => {
    const none = await porthole(["up"]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /There is no porthole\.toml[\s\S]*porthole init/);
    await writeFile(join(folder, "porthole.toml"), "[tunnels.web]\nlocal = 3000\n");
    const unknown = await porthole(["up", "api"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /has no tunnel "api"[\s\S]*It has: web/);
    const alone = await porthole(["up"]);
    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /It takes a relay/);
  });
});
