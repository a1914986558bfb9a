import assert from "node:assert/strict";
import { createLink } from "@porthole/common/link";
import { linkCompliance } from "@porthole/testing";
import { systemClock } from "@porthole/common/util";
import { dial, openQuicWorker, type TestWorker } from "./fixture.test.ts";

let shared: TestWorker | undefined;

after(async () => {
  await shared?.worker.close();
});

linkCompliance(
  "quic through the QUIC worker",
  async () => {
    shared ??= await openQuicWorker();
    const { worker } = shared;
    const [relay, client] = await Promise.all([shared.accept(), dial(shared.port)]);
    return {
      relay: createLink(relay, { clock: systemClock, heartbeat: "watch" }),
      client: createLink(client, { clock: systemClock, heartbeat: "send" }),
      dispose: async () => assert.equal(worker.facts().links, 0, "links left in the QUIC worker"),
    };
  },
  // The stream's window, what the sockets hold, and the Duplexes of three processes' worth.
  { manyAborts: 2_100, maxStalledBytes: 6 * 1024 * 1024 },
);
