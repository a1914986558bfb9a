import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lockFile, systemClock } from "@porthole/common/util";
import { startHttp, startTestDaemon, startTestRelay, until, useScope } from "@porthole/testing/end-to-end";

/** A caller that hangs can't stop its tunnels: the daemon learns from the lease that another process serves the name. */
describe("a tunnel with a lease", function () {
  this.timeout(120_000);
  const scope = useScope();

  it("runs while its caller holds the lease, and stops when another process takes it", async () => {
    const [service, relay] = await Promise.all([
      startHttp(scope, (_request, response) => response.end("hello")),
      startTestRelay(scope),
    ]);
    const { daemon } = await startTestDaemon(scope);
    const path = join(await scope.folder(), "port.lock");
    const lock = await lockFile(path, systemClock, AbortSignal.timeout(30_000));
    scope.defer(() => lock.release());
    const { pem } = await daemon.call("identity/create", {});
    const spec = {
      relays: [{ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint }],
      primary: { identity: { pem }, local: service.local },
    };
    const isOnline = async (): Promise<boolean> => {
      const [tunnel] = (await daemon.call("tunnel/list", {})).tunnels;
      return tunnel?.state.endpoints[0]?.relays[0]?.now.status === "online";
    };
    await daemon.call("tunnel/start", { id: "web", ...spec, lease: { path, holder: lock.id } });
    await until(isOnline, "it is online");
    // A change in place keeps the lease.
    await daemon.call("tunnel/update", { id: "web", changes: { headers: "localhost" } });
    assert.ok(await isOnline());

    await writeFile(path, JSON.stringify({ id: "another", pid: process.pid, host: "elsewhere", count: 0 }));
    await until(async () => (await daemon.call("tunnel/list", {})).tunnels.length === 0, "it has stopped");
    await until(() => relay.counts().clients === 0, "the relay has lost it");

    // One that comes too late never stays.
    await daemon.call("tunnel/start", { id: "late", ...spec, lease: { path, holder: lock.id } });
    await until(async () => (await daemon.call("tunnel/list", {})).tunnels.length === 0, "it has stopped, too");
    // Without a lease nothing is asked.
    await daemon.call("tunnel/start", { id: "free", ...spec });
    await until(isOnline, "it is online");
  });
});
