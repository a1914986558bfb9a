import assert from "node:assert/strict";
import { linkCompliance } from "@porthole/testing/link-compliance";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { systemClock } from "../../util/index.ts";
import { createLink } from "../index.ts";
import { connectedPair } from "./fixture.test.ts";
import { quicAvailability, type EngineName } from "./index.ts";

const pairings: readonly (readonly [relay: EngineName, client: EngineName])[] = [
  ["quiche", "quiche"],
  ["native", "native"],
  ["native", "quiche"],
  ["quiche", "native"],
];

for (const [relayEngine, clientEngine] of pairings) {
  const isHere = [relayEngine, clientEngine].every((engine) => quicAvailability(engine).available);
  if (!isHere) {
    describe(`quic, ${clientEngine} to ${relayEngine}`, () => {
      it("passes", function () {
        skipUnless(this, false, platformReason("no native QUIC engine was built: see npm run build:native"));
      });
    });
    continue;
  }
  linkCompliance(
    `quic, ${clientEngine} to ${relayEngine}`,
    async () => {
      const { listener, relay, client } = await connectedPair({ engine: relayEngine }, { engine: clientEngine });
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
}
