import assert from "node:assert/strict";
import { createLink } from "@porthole/common/link";
import { quicAvailability, type EngineName } from "@porthole/common/link/quic";
import { linkCompliance } from "@porthole/testing";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { systemClock } from "@porthole/common/util";
import { dial, openQuicWorker, type TestWorker } from "./fixture.test.ts";

const engines: readonly EngineName[] = ["quiche", "native"];

for (const engine of engines) {
  let shared: TestWorker | undefined;

  after(async () => {
    await shared?.worker.close();
  });

  if (!quicAvailability(engine).available) {
    describe(`quic through the QUIC worker, ${engine}`, () => {
      it("passes", function () {
        skipUnless(this, false, platformReason("no native QUIC engine was built: see npm run build:native"));
      });
    });
    continue;
  }
  linkCompliance(
    `quic through the QUIC worker, ${engine}`,
    async () => {
      shared ??= await openQuicWorker({ engine });
      const { worker } = shared;
      assert.equal(worker.facts().serving?.name, engine);
      const [relay, client] = await Promise.all([shared.accept(), dial(shared.port, engine)]);
      return {
        relay: createLink(relay, { clock: systemClock, heartbeat: "watch" }),
        client: createLink(client, { clock: systemClock, heartbeat: "send" }),
        dispose: async () => assert.equal(worker.facts().links, 0, "links left in the QUIC worker"),
      };
    },
    // The stream's window, what the sockets hold, and the Duplexes of three processes' worth.
    { manyAborts: 2_100, maxStalledBytes: 6 * 1024 * 1024 },
  );
}
