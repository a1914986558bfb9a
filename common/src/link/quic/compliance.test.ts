import assert from "node:assert/strict";
import { linkCompliance } from "@porthole/testing/link-compliance";
import { systemClock } from "../../util/index.ts";
import { createLink } from "../index.ts";
import { connectedPair } from "./fixture.test.ts";

linkCompliance(
  "quic",
  async () => {
    const { listener, relay, client } = await connectedPair();
    return {
      relay: createLink(relay, { clock: systemClock, heartbeat: "watch" }),
      client: createLink(client, { clock: systemClock, heartbeat: "send" }),
      dispose: async () => {
        assert.equal(listener.stats().connections, 0, "connections left in the listener");
        await listener.close();
      },
    };
  },
  // The stream's window, and what the Duplexes at both ends hold.
  { manyAborts: 2_100, maxStalledBytes: 4 * 1024 * 1024 },
);
