import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing";
import { earlyDrop } from "./early-drop.ts";
import { Rates } from "./rates.ts";
import { LruCache } from "@porthole/common/util";
import { sourceOf } from "@porthole/common/protocol";

describe("what is remembered of strangers", () => {
  it("is bounded: what was not used for long is forgotten", () => {
    const recent = new LruCache<number>(6);
    for (const [index, key] of ["a", "b", "c", "d"].entries()) recent.set(key, index);
    assert.equal(recent.get("a"), 0);
    recent.set("e", 4);
    recent.set("f", 5);
    assert.deepEqual(
      ["a", "b", "c", "f"].map((key) => recent.get(key)),
      [0, undefined, undefined, 5],
    );
    recent.delete("a");
    assert.equal(recent.get("a"), undefined);
  });

  it("does not grow with their number", () => {
    const rates = new Rates(new FakeClock(), () => 1);
    for (let i = 0; i < 200_000; i++) assert.ok(rates.take(`source ${i}`));
    assert.ok(rates.size > 30_000 && rates.size <= 65_536, `${rates.size} are remembered`);
  });

  for (const [address, source] of [
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "20010db800010002"],
    ["fe80::1%eth0", "fe80000000000000"],
    [undefined, "unknown"],
    ["nonsense", "unknown"],
  ] as const)
    it(`${address} counts for ${source}`, () => assert.equal(sourceOf(address), source));
});

describe("START:PERCENT:FULL", () => {
  it("is read", () => assert.deepEqual(earlyDrop.parse("10:30:100"), { start: 10, percent: 30, full: 100 }));
  for (const text of ["", "10", "10:30", "10:101:100", "200:30:100", "0:0:0", "a:b:c", "1:2:3:4"])
    it(`${JSON.stringify(text)} is refused`, () => assert.throws(() => earlyDrop.parse(text), { code: "usage" }));
});
