import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { noStats, type QuicWorkerFacts } from "./facts.ts";
import { registerQuicWorkerMetrics } from "./metrics.ts";

const facts: QuicWorkerFacts = {
  state: "up",
  reason: undefined,
  pid: 1,
  restarts: 2,
  beats: 3,
  rssBytes: 4,
  memoryCapBytes: 5,
  serving: { name: "native", why: "it is the faster one" },
  links: 6,
  engine: { ...noStats, accepted: 7, dropped: { ...noStats.dropped, "no-ticket": 8 } },
};

describe("the QUIC worker's figures", () => {
  it("are nothing before there is a QUIC worker, and its own then, however often they are asked for", async () => {
    let now: QuicWorkerFacts | undefined;
    const registry = new Registry();
    registerQuicWorkerMetrics(registry, () => now);
    assert.match(await registry.metrics(), /^porthole_quic_up 0$/m);
    now = facts;
    for (let i = 0; i < 2; i++) {
      const text = await registry.metrics();
      assert.match(text, /^porthole_quic_up 1$/m);
      assert.match(text, /^porthole_quic_engine_info\{engine="native"\} 1$/m);
      assert.match(text, /^porthole_quic_restarts_total 2$/m);
      assert.match(text, /^porthole_quic_memory_bytes 4$/m);
      assert.match(text, /^porthole_quic_handshakes_total 7$/m);
      assert.match(text, /^porthole_quic_dropped_total\{reason="no-ticket"\} 8$/m);
    }
  });
});
