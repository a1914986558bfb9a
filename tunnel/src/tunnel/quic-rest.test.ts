import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { FakeClock } from "@porthole/testing";
import { QuicRest } from "./quic-rest.ts";
import type { Dialers } from "./relay-dialer.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

describe("QuicRest", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-rest-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function leftMs(content: string | undefined, engine = "quiche"): Promise<number> {
    const clock = new FakeClock();
    const path = join(folder, "quic-hangs.json");
    if (content !== undefined) await writeFile(path, content);
    const rest = await QuicRest.open(folder, clock);
    const dial = async (): Promise<never> => Promise.reject(new Error("not dialled here"));
    const dialers: Dialers = { http2: dial, quic: { available: true, engine, dial } };
    const { quic } = rest.over(dialers);
    assert.ok(quic.available);
    try {
      quic.assertRested?.();
      return 0;
    } catch (reason) {
      const error = PortholeError.from(reason);
      assert.equal(error.code, "busy");
      assert.match(error.message, /^QUIC rests until .* UTC, because its engine hung$/);
      return error.retryAfterMs ?? 0;
    }
  }

  const hung = (hangs: number, agoMs: number): string => JSON.stringify({ hangs, at: new FakeClock().now() - agoMs });

  const rests: readonly [string, string | undefined, number][] = [
    ["no hang", undefined, 0],
    ["the first hang", hung(1, minute), 4 * minute],
    ["the first hang, rested", hung(1, 5 * minute), 0],
    ["the second one", hung(2, 0), 20 * minute],
    ["the fifth one", hung(5, 0), 1_280 * minute],
    ["the hundredth one: a day at most", hung(100, minute), day - minute],
    ["a clock that was set back", hung(1, -30 * day), day],
    ["a damaged file", "{", 0],
    ["a file with something else", '{"hangs":"3","at":null}', 0],
    ["a negative number", hung(-1, 0), 0],
    ["null", "null", 0],
  ];
  for (const [what, content, expectedMs] of rests)
    it(`after ${what}: ${expectedMs / minute} minutes`, async () => {
      assert.equal(await leftMs(content), expectedMs);
    });

  it("is for the engine that hung, not for the native one", async () => {
    assert.equal(await leftMs(hung(1, 0), "native"), 0);
  });
});
