import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { connectDaemon, type EndpointView } from "@porthole/tunnel/rpc";
import { cageNode } from "@porthole/testing";
import { buildPrograms } from "@porthole/testing/built-programs";
import { get, needQuic, siteAt, soon, startHttp, startTestRelay, useScope } from "@porthole/testing/end-to-end";

describe("The extension's tunnel process where bytes can't be returned, as in Electron", function () {
  this.timeout(300_000);
  const scope = useScope();

  it("carries visitors over QUIC", async function () {
    needQuic.call(this);
    const caged = await cageNode(this);
    scope.defer(() => caged.close());
    await buildPrograms();
    const [service, relay, stateDir] = await Promise.all([
      startHttp(scope, (_request, response) => response.end("out of the cage")),
      startTestRelay(scope),
      scope.folder(),
    ]);
    const entry = join(import.meta.dirname, "..", "..", "dist", "extension", "daemon.mjs");
    const child = spawn(process.execPath, [...caged.args, entry], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, ...caged.env, ELECTRON_RUN_AS_NODE: "1" },
    });
    const ended = once(child, "exit");
    const daemon = connectDaemon({ input: child.stdout, output: child.stdin });
    scope.defer(() => void child.kill("SIGKILL"));
    scope.defer(async () => {
      daemon.close();
      assert.deepEqual(await soon(ended, "the end of the process"), [0, null]);
    });
    const { quic } = await daemon.call("initialize", {
      rpcVersion: 1,
      client: { name: "test", version: "1" },
      stateDir,
    });
    assert.equal(quic.available, true);
    const online = new Promise<EndpointView>((resolve) => {
      daemon.on("tunnel/state", ({ state: { endpoints } }) => {
        const now = endpoints[0]?.relays[0]?.now;
        if (endpoints[0] && now?.status === "online" && now.transport === "quic") resolve(endpoints[0]);
      });
    });
    const { pem } = await daemon.call("identity/create", {});
    await daemon.call("tunnel/start", {
      id: "web",
      relays: [{ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint }],
      primary: { identity: { pem }, local: service.local },
      transport: "quic",
    });
    const { urls, clientId } = await soon(online, "a link over QUIC");
    assert.equal(await get(siteAt(urls[0] ?? "", join(stateDir, "self-signed", `${clientId}.pem`))), "out of the cage");
  });
});
