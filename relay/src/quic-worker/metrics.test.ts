import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { noStats, type LaneFacts } from "./facts.ts";
import { registerLaneMetrics } from "./metrics.ts";

const facts: LaneFacts = {
  state: "up",
  reason: undefined,
  pid: 1,
  restarts: 2,
  beats: 3,
  rssBytes: 4,
  memoryCapBytes: 5,
  links: 6,
  engine: { ...noStats, accepted: 7, dropped: { ...noStats.dropped, "no-ticket": 8 } },
};

describe("the lane's figures", () => {
  it("are nothing before there is a lane, and its own then, however often they are asked for", async () => {
    let now: LaneFacts | undefined;
    const registry = new Registry();
    registerLaneMetrics(registry, () => now);
    assert.match(await registry.metrics(), /^porthole_quic_up 0$/m);
    now = facts;
    for (let i = 0; i < 2; i++) {
      const text = await registry.metrics();
      assert.match(text, /^porthole_quic_up 1$/m);
      assert.match(text, /^porthole_quic_restarts_total 2$/m);
      assert.match(text, /^porthole_quic_memory_bytes 4$/m);
      assert.match(text, /^porthole_quic_handshakes_total 7$/m);
      assert.match(text, /^porthole_quic_dropped_total\{reason="no-ticket"\} 8$/m);
    }
  });
});
