import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateKey } from "@porthole/common/identity";
import { startHttp, useScope, type TestClient } from "@porthole/testing/end-to-end";
import { certified, needPebble, orderMs, startCertifiedClient, startWorld, trusted } from "./world.ts";

describe("certificates that expire soon", function () {
  this.timeout(300_000);
  const scope = useScope();
  before(needPebble);

  it("are renewed under a running connection, which continues", async () => {
    const world = await startWorld(scope, [], { lifetimeSeconds: 30 });
    const service = await startHttp(scope, (request, response) => void request.pipe(response));
    const client = await startCertifiedClient(scope, world, { local: service.local });
    const { hostname, notAfter } = await certified(client);
    const ca = await world.pebble.rootPem();
    const running = await trusted(world.relay.publicPort, hostname, ca);
    running.write(`POST / HTTP/1.1\r\nHost: ${hostname}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`);
    await once(running, "data");
    const renewed = await client.when(
      "a newer certificate",
      ({ endpoints }) => {
        const now = endpoints[0]?.certificates[0];
        return now?.status === "valid" && now.notAfter > notAfter ? now : undefined;
      },
      orderMs,
    );
    const next = await trusted(world.relay.publicPort, hostname, ca);
    // By now it may be the one after that.
    assert.ok(Date.parse(next.getPeerCertificate().valid_to) >= renewed.notAfter);
    next.destroy();
    running.write("6\r\nsecond\r\n0\r\n\r\n");
    const [rest] = (await once(running, "data")) as [Buffer];
    assert.match(rest.toString(), /second/);
    running.destroy();
  });

  it("are got and renewed by each of two processes with the same key, which learn of one another", async () => {
    const world = await startWorld(scope, [], { lifetimeSeconds: 40 });
    const key = join(await scope.folder(), "key.pem");
    await writeFile(key, generateKey().pem);
    const startOne = (): Promise<TestClient> => startCertifiedClient(scope, world, { args: ["--primary-key", key] });
    const renewal = (client: TestClient, notAfter: number): Promise<unknown> =>
      client.when(
        "a newer certificate",
        ({ endpoints }) => {
          const now = endpoints[0]?.certificates[0];
          return now?.status === "valid" && now.notAfter > notAfter ? now : undefined;
        },
        orderMs,
      );
    const older = await startOne();
    const first = await certified(older);
    const newer = await startOne();
    const second = await certified(newer);
    assert.equal(second.hostname, first.hostname);
    // The older one's challenges come to the newer one first.
    await Promise.all([renewal(older, Math.max(first.notAfter, second.notAfter)), renewal(newer, second.notAfter)]);
    for (const client of [older, newer])
      await client.when("the other process", ({ endpoints }) => {
        const now = endpoints[0]?.relays[0]?.now;
        return now?.status === "online" && now.otherProcesses === 1 ? now : undefined;
      });
    await newer.stop();
    await older.when("the other process to be gone", ({ endpoints }) => {
      const now = endpoints[0]?.relays[0]?.now;
      return now?.status === "online" && now.otherProcesses === undefined ? now : undefined;
    });
  });
});
