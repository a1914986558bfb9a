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
