import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  get,
  needQuic,
  runCli,
  siteAt,
  startCli,
  startHttp,
  startTestRelay,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

describe("a QUIC engine that hangs in the client", function () {
  this.timeout(180_000);
  const scope = useScope();
  before(needQuic);

  it("costs a few seconds: the client continues over HTTP/2, and leaves QUIC out for a while", async () => {
    const [relay, stateDir, folder] = [await startTestRelay(scope), await scope.folder(), await scope.folder()];
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const hang = join(folder, "hang");
    const porthole = (...argv: string[]) => runCli(scope, "client", [...argv, "--state-dir", stateDir]);
    const client = startCli(
      scope,
      "client",
      [
        ...[String(service.port), "--server", `127.0.0.1:${relay.apiPort}`, "--no-acme", "--json"],
        ...["--quic-engine", "quiche", "--state-dir", stateDir],
      ],
      {
        nodeArgs: ["--require", join(import.meta.dirname, "hung-engine.cjs")],
        env: { PORTHOLE_TEST_HANG: hang },
      },
    );
    // The client's output ends with its successor.
    scope.defer(async () => {
      await rm(hang, { force: true });
      await porthole("stop");
    });
    const status = async (): Promise<string> => (await porthole("status", "--json")).stdout;
    await until(async () => /"transport":"quic"/.test(await status()), "QUIC is up");
    const url = /"urls":\["(https:[^"]+)"/.exec(await status())?.[1] ?? "";
    const site = siteAt(url, join(stateDir, "primary-self-signed.pem"));
    assert.equal(await get(site), "hello");

    const ended = once(client.child, "exit");
    await writeFile(hang, "");
    // Something has to reach the engine.
    await get(site).catch(() => {});
    assert.deepEqual(await ended, [null, "SIGKILL"]);
    await until(async () => (await get(site).catch(() => "")) === "hello", "visitors are served again");

    const after = await status();
    assert.match(after, /"transport":"http2"/);
    assert.match(after, /QUIC rests until .*because its engine hung/);
    assert.match(client.errors.join("\n"), /QUIC's engine hung .*\n.*continues in the background/);
    const record = JSON.parse(await readFile(join(stateDir, "quic-hangs.json"), "utf8")) as { hangs: number };
    assert.equal(record.hangs, 1);
  });
});
