import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Relay } from "@porthole/relay";
import {
  freePort,
  get,
  needProgram,
  run,
  runCli,
  siteAt,
  startCli,
  startHttp,
  startTestRelay,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

describe("a client in the background", function () {
  this.timeout(120_000);
  const scope = useScope();
  let relay: Relay;
  let stateDir: string;

  beforeEach(async () => {
    [relay, stateDir] = [await startTestRelay(scope), await scope.folder()];
    scope.defer(() => porthole("stop"));
  });

  const porthole = (...argv: string[]) => runCli(scope, "client", [...argv, "--state-dir", stateDir]);
  const options = () => ["--server", `127.0.0.1:${relay.apiPort}`, "--no-acme", "--transport", "h2"];

  it("prints its URL alone, continues, and is stopped by another command", async () => {
    const service = await startHttp(scope, (_request, response) => response.end("detached"));
    const started = await porthole(String(service.port), ...options(), "--detach", "--wait-for-url");
    assert.equal(started.code, 0, started.stderr);
    assert.match(started.stdout, /^https:\/\/\S+$/);
    assert.equal(await get(siteAt(started.stdout, join(stateDir, "primary-self-signed.pem"))), "detached");
    assert.match((await porthole("logs")).stdout, /GET \/ {2}200/);
    const stopped = await porthole("stop");
    assert.equal(stopped.code, 0, stopped.stderr);
    await until(async () => (await porthole("status")).code === 1, "no client runs");
  });

  it("leaves nothing running when it can't start, and says why", async () => {
    const keys = join(await scope.folder(), "keys.txt");
    await writeFile(keys, "# nobody\n");
    const closed = await startTestRelay(scope, { args: ["--authorized-keys", keys] });
    const refused = await porthole("3000", "--detach", "--server", `127.0.0.1:${closed.apiPort}`);
    assert.equal(refused.code, 3, refused.stderr);
    assert.match(refused.stderr, /does not know the client id/);
    assert.equal(refused.stdout, "");
    const wrong = await porthole("3000", "--detach", "--force-h2", "--transport", "quic", ...options().slice(0, 2));
    assert.equal(wrong.code, 2, wrong.stderr);
    assert.equal((await porthole("status")).code, 1);
  });

  it("ends after some seconds without a relay that it can trust, and says which", async () => {
    const pin = "A".repeat(52).toLowerCase();
    const other = ["--server", `127.0.0.1:${relay.apiPort}`, "--server-fingerprint", pin];
    const [nobody, wrongPin] = await Promise.all([
      porthole("3000", "--detach", "--server", `127.0.0.1:${await freePort()}`),
      runCli(scope, "client", ["3000", "--detach", ...other, "--state-dir", await scope.folder()]),
    ]);
    for (const { code, stdout } of [nobody, wrongPin]) assert.deepEqual([code, stdout], [1, ""]);
    assert.match(nobody.stderr, /Nothing listens on 127\.0\.0\.1:/);
    assert.match(wrongPin.stderr, /is not the relay that was pinned/);
    assert.match(nobody.stderr, /porthole doctor/);
    assert.equal((await porthole("status")).code, 1);
  });

  it("has its URL in a file while it is online", async () => {
    const path = join(await scope.folder(), "url");
    const port = String(await freePort());
    const client = startCli(scope, "client", [port, ...options(), "--state-dir", stateDir, "--url-file", path]);
    const url = (await client.line(/^URL: /)).slice(5);
    await until(() => existsSync(path), "the file is there");
    assert.equal(await readFile(path, "utf8"), `${url}\n`);
    await client.line(/^Nothing listens at http:\/\/localhost:\d+ yet/);
    assert.equal((await client.kill("SIGINT")).code, 0);
    assert.equal(existsSync(path), false);
  });

  it("refuses a folder as the URL's file, and leaves it alone", async () => {
    const path = await scope.folder();
    const refused = await porthole("3000", ...options(), "--url-file", path);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /Can't write \S+: it is a folder, not a file\n {2}Name a file in it/);
    assert.ok(existsSync(path));
  });

  it("exposes nothing that was not named, and says what was probably meant", async () => {
    const bare = await runCli(scope, "client", []);
    assert.equal(bare.code, 0);
    assert.match(bare.stdout, /^ {2}porthole 3000/);
    for (const [argv, hint] of [
      [["http", "3000"], /Did you mean porthole 3000\?/],
      [["./dist"], /Serve them first/],
      [[":3000"], /Did you mean porthole 3000\?/],
      [["3000", "--wait-for-url"], /goes with --detach or --url-file/],
    ] as const) {
      const wrong = await porthole(...argv);
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, hint);
    }
  });

  it("has completion for bash, zsh and fish", async function () {
    const script = join(await scope.folder(), "completion");
    const words = async (typed: string): Promise<string> => {
      const source = `source <(cat "${script}"); COMP_WORDS=(${typed}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _porthole; echo "\${COMPREPLY[@]}"`;
      return (await run("bash", ["-c", source])).stdout.trim();
    };
    needProgram(this, "bash");
    await writeFile(script, (await porthole("completion", "bash")).stdout);
    assert.equal(await words("porthole sta"), "status");
    assert.equal(await words("porthole --url"), "--url-file");
    assert.equal(await words("porthole logs --fo"), "--follow");
    for (const shell of ["zsh", "fish"]) {
      const { code, stdout } = await porthole("completion", shell);
      assert.equal(code, 0);
      assert.match(stdout, /--url-file|-l url-file/);
    }
    assert.equal((await porthole("completion", "tcsh")).code, 2);
  });
});
