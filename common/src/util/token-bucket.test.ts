import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing/fake-clock";
import { TokenBucket } from "./token-bucket.ts";

describe("token bucket", () => {
  function takeAll(bucket: TokenBucket): number {
    let taken = 0;
    while (bucket.take()) taken += 1;
    return taken;
  }

  it("has so many at once, and so many a second after that", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { perSecond: 20, atOnce: 100 });
    assert.equal(takeAll(bucket), 100);
    await clock.advance(1_000);
    assert.equal(takeAll(bucket), 20);
    await clock.advance(3_600_000);
    assert.equal(takeAll(bucket), 100);
  });

  it("takes more, however much it is, and does not lose it with time", async () => {
    const clock = new FakeClock();
    const bucket = new TokenBucket(clock, { perSecond: 20, atOnce: 100 });
    bucket.add(20_000);
    await clock.advance(1_000);
    assert.equal(takeAll(bucket), 20_100);
  });
});
