import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PortholeError } from "@porthole/common/errors";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { asNobody } from "@porthole/testing/as-nobody";
import {
  freePort,
  runCli,
  startCli,
  startHttp,
  startTestClient,
  startTestRelay,
  useScope,
} from "@porthole/testing/end-to-end";

describe("Bad input to the programs", function () {
  this.timeout(120_000);
  const scope = useScope();

  /** Starts the client with a file in its state folder, and expects it to end with an error about that. */
  async function clientWith(file: string, content: string, ...args: string[]): Promise<string> {
    const stateDir = await scope.folder();
    await writeFile(join(stateDir, file), content);
    const server = args.includes("--server") ? [] : ["--server", "127.0.0.1:1"];
    const { code, stderr } = await runCli(scope, "client", [...server, "--state-dir", stateDir, ...args]);
    assert.equal(code, 1, stderr);
    assert.ok(stderr.includes(file), stderr);
    assert.equal(await readFile(join(stateDir, file), "utf8"), content, "the file was changed");
    return stderr;
  }

  it("a damaged key is never replaced", async () => {
    const stderr = await clientWith(
      "primary-key.pem",
      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    assert.match(stderr, /damaged|can't be decoded/);
  });

  it("a key of a kind that can't serve", async () => {
    const { privateKey } = generateKeyPairSync("x25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    assert.match(await clientWith("primary-key.pem", pem), /x25519/i);
  });

  it("a damaged list of known relays", async () => {
    assert.match(await clientWith("known-relays.json", "{]"), /is damaged/);
  });

  it("a state folder that can't be read, and one that can't be written", async function () {
    const folder = await scope.folder();
    const [locked, sealed] = [join(folder, "locked"), join(folder, "sealed")];
    await mkdir(locked, { mode: 0o700 });
    await writeFile(join(locked, "primary-key.pem"), generateKey().pem);
    await writeFile(join(locked, "relay-key.pem"), generateKey().pem);
    await mkdir(sealed, { mode: 0o755 });
    await chmod(folder, 0o755);
    await asNobody(this, async () => {
      if (process.getuid?.() !== 0) await Promise.all([chmod(locked, 0o000), chmod(sealed, 0o555)]);
      for (const [where, doing] of [
        [locked, "read"],
        [sealed, "write"],
      ] as const) {
        for (const start of [startTestClient, startTestRelay] as const) {
          const started = start(scope, { servers: [1], args: ["--state-dir", where] });
          await assert.rejects(started, (error: PortholeError) => {
            assert.equal(error.code, "state");
            assert.match(error.message, new RegExp(`^Can't ${doing} ${where}/[a-z-]+\\.(pem|json): no permission$`));
            assert.match(error.hint ?? "", /Give this user access .*\{state-dir\}/);
            return true;
          });
        }
      }
    });
    await chmod(locked, 0o700);
    assert.equal((await readdir(locked)).length, 2);
    assert.deepEqual(await readdir(sealed), []);
  });

  it("commands of somebody who may not look into the relay's state folder", async function () {
    const folder = await scope.folder();
    await writeFile(join(folder, "relay.toml"), 'domain-suffix = "tunnel.example.com"\n');
    await chmod(folder, 0o000);
    await asNobody(this, async () => {
      for (const command of [["doctor"], ["status"], ["keys", "list"], []]) {
        const { code, stderr } = await runCli(scope, "relay", [...command, "--state-dir", folder]);
        assert.equal(code, 1, stderr);
        assert.match(stderr, new RegExp(`Can't read ${folder}/[a-z.]+: no permission`));
      }
    });
    await chmod(folder, 0o700);
  });

  it("a state folder that is a file", async () => {
    const folder = await scope.folder();
    await writeFile(join(folder, "file"), "");
    const { code, stderr } = await runCli(scope, "relay", [
      "--state-dir",
      join(folder, "file", "state"),
      "--api-port",
      "0",
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /a part of the path is a file[\s\S]*Move the file away/);
  });

  it("a folder for temporary files that is not there", async () => {
    const argv = ["--state-dir", await scope.folder(), "--api-port", "0", "--pub-port", "0"];
    const { code, stderr } = await runCli(scope, "relay", argv, { env: { ...process.env, TMPDIR: "/nowhere" } });
    assert.equal(code, 1);
    assert.match(stderr, /^porthole-relay: Can't write \/nowhere: it does not exist\n.*TMPDIR/);
  });

  for (const flag of ["--api-port", "--pub-port"]) {
    it(`${flag} that is taken`, async () => {
      const service = await startHttp(scope, () => {});
      const ports = { "--api-port": "0", "--pub-port": "0", [flag]: String(service.port) };
      const argv = [...Object.entries(ports).flat(), "--state-dir", await scope.folder()];
      const { code, stderr } = await runCli(scope, "relay", argv);
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`port ${service.port} is taken[\\s\\S]*${flag}`));
    });
  }

  it("a list of authorized keys that is missing, and one that makes no sense", async () => {
    const folder = await scope.folder();
    const list = join(folder, "keys.txt");
    const argv = ["--authorized-keys", list, "--state-dir", folder, "--api-port", "0", "--pub-port", "0"];
    const missing = await runCli(scope, "relay", argv);
    assert.equal(missing.code, 1);
    assert.ok(missing.stderr.includes(`There is no file ${list}`), missing.stderr);
    await writeFile(list, "# fine so far\nssh-rsa AAAA somebody\n");
    const wrong = await runCli(scope, "relay", argv);
    assert.equal(wrong.code, 2);
    assert.ok(
      wrong.stderr.includes(`${list}, line 2: "ssh-rsa AAAA somebody" is no client id and no fingerprint`),
      wrong.stderr,
    );
  });

  it("a certificate without its key", async () => {
    const folder = await scope.folder();
    const [one, other] = [generateKey(), generateKey()];
    const { pem } = createCertificate({ key: one, dnsNames: ["relay.example"], notBefore: new Date(), days: 1 });
    await writeFile(join(folder, "cert.pem"), pem);
    await writeFile(join(folder, "key.pem"), other.pem);
    const argv = ["--tls-cert", join(folder, "cert.pem"), "--tls-key", join(folder, "key.pem"), "--state-dir", folder];
    const { code, stderr } = await runCli(scope, "relay", argv);
    assert.equal(code, 1);
    assert.match(stderr, /not a certificate and its key/);
  });

  it("a relay that can't be reached is tried again, and the client says when", async () => {
    const port = await freePort();
    const client = startCli(scope, "client", ["--server", `127.0.0.1:${port}`, "--state-dir", await scope.folder()]);
    assert.match(await client.line(/Nothing listens on/), /trying again in/);
    assert.equal((await client.kill("SIGINT")).code, 0);
  });

  it("--server-fingerprint of another relay, and the right one", async () => {
    const relay = await startTestRelay(scope);
    const argv = [
      "--server",
      `127.0.0.1:${relay.apiPort}`,
      "--state-dir",
      await scope.folder(),
      "--server-fingerprint",
    ];
    const { code, stderr } = await runCli(scope, "client", [...argv, "a".repeat(52)]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`its key is ${relay.fingerprint}`));
    const client = startCli(scope, "client", [...argv, relay.fingerprint]);
    await client.line(/^online/);
    await client.kill("SIGTERM");
  });
});
