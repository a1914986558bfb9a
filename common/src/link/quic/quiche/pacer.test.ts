import assert from "node:assert/strict";
import { Pacer } from "./pacer.ts";

const packet = 1350;

/** How many packets leave in this many milliseconds, when there are always more. */
function packetsIn(ms: number, stepMs: number, quantumBytes: number): number {
  const pacer = new Pacer();
  let packets = 0;
  for (let now = 1000; now < 1000 + ms; now += stepMs) {
    for (let left = pacer.allowance(now, quantumBytes); left > 0; left -= packet) {
      pacer.spend(packet);
      packets += 1;
    }
  }
  return packets;
}

describe("quic pacer", () => {
  it("lets half as much again leave as BBR's rate says, after a first burst", () => {
    const quantum = 10 * packet;
    for (const stepMs of [1, 2, 3]) {
      const packets = packetsIn(300, stepMs, quantum);
      assert.ok(Math.abs(packets - 300 * 15) <= 60, `${packets} packets with a turn every ${stepMs} ms`);
    }
  });

  it("does not save up while there is nothing to send", () => {
    const pacer = new Pacer();
    pacer.allowance(0, packet);
    assert.equal(pacer.allowance(60_000, packet), 10 * packet);
  });

  it("asks nothing back of what left while it did not hold back", () => {
    const pacer = new Pacer();
    for (let now = 0; now < 1_000; now++) {
      pacer.allowance(now, 64 * 1024);
      pacer.spend(100 * packet);
    }
    assert.equal(pacer.allowance(1_000, packet), 10 * packet);
  });

  it("does not hold back what is as fast as BBR can tell", () => {
    assert.equal(new Pacer().allowance(1, 64 * 1024), Number.POSITIVE_INFINITY);
  });
});
