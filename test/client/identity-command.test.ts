import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKey, parseKey } from "@porthole/common/identity";
import { runCli, startCli, startTestRelay, useScope } from "@porthole/testing/end-to-end";

describe("porthole identity", function () {
  this.timeout(120_000);
  const scope = useScope();
  const run = (...argv: string[]) => runCli(scope, "client", ["identity", ...argv]);

  it("takes a name along to another state folder, encrypted on the way", async () => {
    const [from, to] = [await scope.folder(), await scope.folder()];
    const key = generateKey();
    await writeFile(join(from, "primary-key.pem"), key.pem, { mode: 0o600 });
    const [file, passphrase] = [join(from, "copy.pem"), join(from, "passphrase")];
    await writeFile(passphrase, "correct horse\n");
    const words = ["--passphrase-file", passphrase];
    const joined = { host: "relay.example.com", port: 4433, pin: key.fingerprint };
    await writeFile(join(from, "joined-relays.json"), JSON.stringify({ relays: [joined] }));
    const exported = await run("export", file, ...words, "--state-dir", from);
    assert.equal(exported.code, 0, exported.stderr);
    assert.doesNotMatch(exported.stdout, /PRIVATE KEY/);
    assert.ok(exported.stdout.includes(`--server relay.example.com:4433 --server-fingerprint ${key.fingerprint}`));
    assert.match(await readFile(file, "utf8"), /BEGIN ENCRYPTED PRIVATE KEY/);
    assert.equal((await stat(file)).mode & 0o077, 0);
    const without = await run("import", file, "--state-dir", to);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /--passphrase-file/);
    assert.equal((await run("import", file, ...words, "--state-dir", to)).code, 0);

    const relay = await startTestRelay(scope);
    const client = startCli(scope, "client", ["--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", to]);
    const url = (await client.line(/^URL: /)).slice(5);
    assert.ok(url.includes(key.clientId), url);
    const { stdout } = await run("show", "--json", "--state-dir", to);
    assert.deepEqual(JSON.parse(stdout), {
      clientId: key.clientId,
      fingerprint: key.fingerprint,
      kind: key.kind,
      keyFile: join(to, "primary-key.pem"),
      urls: [url],
    });
    assert.match((await run("show", "--state-dir", to)).stdout, new RegExp(`^URL: ${url}$`, "m"));
    assert.equal((await client.kill("SIGINT")).code, 0);
  });

  it("takes everything along in one file: each tunnel's name, the relays and their pins", async () => {
    const [from, to] = [await scope.folder(), await scope.folder()];
    const relay = await startTestRelay(scope);
    const passphrase = join(from, "passphrase");
    await writeFile(passphrase, "correct horse\n");
    const words = ["--passphrase-file", passphrase];
    const joined = [{ host: "127.0.0.1", port: relay.apiPort, pin: relay.fingerprint }];
    await writeFile(join(from, "joined-relays.json"), JSON.stringify({ relays: joined }));
    const urlsOf = async (stateDir: string): Promise<string[]> => {
      const args = ["web=3000", "api=4000", "--force-h2", "--json", "--state-dir", stateDir];
      const client = startCli(scope, "client", args);
      const online = async (tunnel: string): Promise<string> => {
        const line = await client.line(new RegExp(`"tunnel":"${tunnel}".*"urls":\\["https`));
        return /https:[^"]*/.exec(line)?.[0] ?? "";
      };
      const urls = await Promise.all(["web", "api"].map(online));
      assert.equal((await client.kill("SIGINT")).code, 0);
      return urls;
    };
    const before = await urlsOf(from);
    const file = join(from, "everything");
    const exported = await run("export", "--all", file, ...words, "--state-dir", from);
    assert.equal(exported.code, 0, exported.stderr);
    assert.match(exported.stdout, /^3 keys and 1 relay are in /);
    assert.equal((await run("import", file, "--state-dir", to)).code, 2);
    assert.equal((await run("import", file, ...words, "--state-dir", to)).code, 0);
    assert.deepEqual(await urlsOf(to), before);
    // Once more, it is there already.
    assert.equal((await run("import", file, ...words, "--state-dir", to)).code, 0);

    const other = join(to, "tunnels", "api.pem");
    await writeFile(other, generateKey().pem);
    await writeFile(join(to, "tunnels", "web.pem"), "damaged");
    const kept = await readFile(other, "utf8");
    const refused = await run("import", file, ...words, "--state-dir", to);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /--force/);
    assert.equal(await readFile(other, "utf8"), kept);
    assert.equal((await run("import", "--force", file, ...words, "--state-dir", to)).code, 0);
    assert.deepEqual(await urlsOf(to), before);
  });

  it("replaces neither a key nor a file unless it is told to, and says what would be lost", async () => {
    const folder = await scope.folder();
    const stateDir = ["--state-dir", folder];
    const [old, next] = [generateKey(), generateKey()];
    const [path, file] = [join(folder, "primary-key.pem"), join(folder, "next.pem")];
    await writeFile(path, old.pem, { mode: 0o600 });
    await writeFile(file, next.pem);
    const refused = await run("import", file, ...stateDir);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, new RegExp(`${old.clientId}[\\s\\S]*--force`));
    assert.equal(await readFile(path, "utf8"), old.pem);
    assert.equal((await run("export", file, ...stateDir)).code, 1);
    assert.equal(await readFile(file, "utf8"), next.pem);
    assert.equal((await run("import", file, "--force", ...stateDir)).code, 0);
    const { stdout } = await run("export", "-", ...stateDir);
    assert.equal(parseKey(stdout, "stdout").clientId, next.clientId);
  });

  it("makes no key by looking, and takes no nonsense", async () => {
    const folder = await scope.folder();
    const stateDir = ["--state-dir", folder];
    const shown = await run("show", ...stateDir);
    assert.equal(shown.code, 1);
    assert.match(shown.stderr, /no key in/);
    await assert.rejects(stat(join(folder, "primary-key.pem")));
    for (const argv of [[], ["export"], ["import"], ["sing"], ["import", join(folder, "none.pem")]])
      assert.equal((await run(...argv, ...stateDir)).code, 2, argv.join(" "));
    await writeFile(join(folder, "bad.pem"), "nonsense");
    assert.equal((await run("import", join(folder, "bad.pem"), ...stateDir)).code, 1);
  });
});
