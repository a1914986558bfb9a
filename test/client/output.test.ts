import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { skipUnless } from "@porthole/testing";
import { get, siteAt, soon, startHttp, startTestRelay, until, useScope } from "@porthole/testing/end-to-end";

const root = join(import.meta.dirname, "../..");

describe("Output that fails", function () {
  this.timeout(120_000);
  const scope = useScope();

  function spawnCli(
    program: "client" | "relay",
    argv: readonly string[],
    stdout: "pipe" | number,
  ): { readonly child: ChildProcess; readonly errors: () => string } {
    const child = spawn(process.execPath, ["--conditions=source", join(root, program, "src/main.ts"), ...argv], {
      stdio: ["ignore", stdout, "pipe"],
      env: { PATH: process.env["PATH"], HOME: "/nonexistent" },
    });
    let errors = "";
    child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    scope.defer(() => void child.kill("SIGKILL"));
    return { child, errors: () => errors };
  }

  function openFull(context: Mocha.Context): number {
    skipUnless(context, process.platform === "linux", "/dev/full is Linux's");
    const full = openSync("/dev/full", "w");
    scope.defer(() => closeSync(full));
    return full;
  }

  for (const [program, argv] of [
    ["client", ["--help", "all"]],
    ["client", ["--version"]],
    ["client", ["share", "--help"]],
    ["relay", ["--help", "all"]],
    ["relay", ["keys", "--help"]],
  ] as const)
    it(`ends ${program} ${argv.join(" ")} quietly with 0 when its reader has left`, async () => {
      const { child, errors } = spawnCli(program, argv, "pipe");
      child.stdout?.destroy();
      assert.deepEqual(await soon(once(child, "close"), "the end"), [0, null]);
      assert.equal(errors(), "");
    });

  it("ends a command on a full disk with 1 and one line", async function () {
    const { child, errors } = spawnCli("client", ["--help"], openFull(this));
    assert.deepEqual(await soon(once(child, "close"), "the end"), [1, null]);
    assert.equal(errors(), "porthole: Can't write to standard output (ENOSPC)\n");
  });

  for (const [how, flags] of [
    ["the reader has left", []],
    ["the reader stops reading", ["--json"]],
    ["the disk is full", []],
  ] as const)
    it(`keeps the tunnel when ${how}`, async function () {
      const relay = await startTestRelay(scope);
      const service = await startHttp(scope, (_request, response) => void response.end("served"));
      const stateDir = await scope.folder();
      const argv = [service.local, "--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", stateDir, ...flags];
      const { child, errors } = spawnCli("client", argv, how === "the disk is full" ? openFull(this) : "pipe");
      if (how === "the reader has left") child.stdout?.destroy();
      const certificate = join(stateDir, "primary-self-signed.pem");
      const site = siteAt(`https://${await publicName(certificate)}:${relay.publicPort}`, certificate);
      await until(() => get(site).then(Boolean, () => false), "the service was reached");
      for (let count = 0; count < 20; count++) assert.equal(await get(site, `/${count}`), "served");
      assert.equal(errors(), "");
      assert.equal(child.exitCode, null);
      child.kill("SIGHUP");
      child.stdout?.resume();
      assert.deepEqual(await soon(once(child, "close"), "the end"), [0, null]);
    });

  /** From the certificate: the client's output is not there. */
  async function publicName(path: string): Promise<string> {
    let name: string | undefined;
    await until(async () => {
      const text = await readFile(path, "utf8").catch(() => undefined);
      name = text === undefined ? undefined : /DNS:([^,]+)/.exec(new X509Certificate(text).subjectAltName ?? "")?.[1];
      return name !== undefined;
    }, "the client knew its public name");
    return name ?? "";
  }
});
