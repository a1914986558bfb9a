import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplexPair } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import type { PortholeError } from "@porthole/common/errors";
import { silentLogger } from "@porthole/common/log";
import { splice } from "@porthole/common/util";
import { FakeClock } from "@porthole/testing";
import { Bandwidth } from "./bandwidth.ts";
import { ThrottledStream } from "./throttled-stream.ts";
import { current, endOfMonth, maxRecords, readUsage, withBytes, type UsageRecords } from "./usage-records.ts";
import { Usage, type UsageOptions } from "./usage.ts";

const day = 24 * 3_600_000;

describe("usage records", () => {
  const january = Date.UTC(2026, 0, 31, 12);

  it("count days and months of the universal calendar", () => {
    let records: UsageRecords = new Map();
    records = withBytes(records, "a", 10, january);
    records = withBytes(records, "a", 5, january + 1);
    assert.deepEqual(records.get("a"), { day: "2026-01-31", bytesToday: 15, bytesThisMonth: 15, bytesInTotal: 15 });
    assert.deepEqual(current(records.get("a"), january + day), {
      ...{ day: "2026-02-01", bytesToday: 0, bytesThisMonth: 0, bytesInTotal: 15 },
    });
    assert.equal(endOfMonth(january), Date.UTC(2026, 1, 1));
    assert.equal(endOfMonth(Date.UTC(2026, 11, 31)), Date.UTC(2027, 0, 1));
  });

  it("forget who carried nothing for longest when there are too many", () => {
    const many = Array.from({ length: maxRecords }, (_, index) => [`${index}`, current(undefined, 0)] as const);
    const records = withBytes(withBytes(new Map(many), "0", 1, 0), "new", 1, 0);
    assert.equal(records.size, maxRecords);
    assert.deepEqual([records.has("0"), records.has("1"), records.has("new")], [true, false, true]);
  });

  for (const damaged of [[], null, { a: null }, { a: { day: "x" } }, { a: { day: "2026-01-01", bytesToday: -1 } }])
    it(`${JSON.stringify(damaged)} is damaged`, () => assert.throws(() => readUsage(damaged), { code: "state" }));
});

describe("usage", () => {
  let clock: FakeClock;
  let folder: string;
  let path: string;
  let limits: { bytesPerMonth: number; bandwidth: number };
  let exceeded: [string, PortholeError][];
  let counted: Record<string, number>;

  beforeEach(async () => {
    clock = new FakeClock();
    folder = await mkdtemp(join(tmpdir(), "porthole-usage-"));
    path = join(folder, "usage.json");
    limits = { bytesPerMonth: 0, bandwidth: 0 };
    exceeded = [];
    counted = {};
  });
  afterEach(async () => {
    assert.equal(clock.pending, 0, "a timer is left");
    await rm(folder, { recursive: true });
  });

  const options = (): UsageOptions => ({
    clock,
    log: silentLogger,
    limits: () => limits,
    onBytes: (label, { bytesIn, bytesOut }) => (counted[label] = (counted[label] ?? 0) + bytesIn + bytesOut),
    onExceeded: (...given) => exceeded.push(given),
  });
  const visitor = (bytesRead: number, bytesWritten: number) =>
    Object.assign(new EventEmitter(), { bytesRead, bytesWritten });

  it("is by owner, over all links, those that have ended included, and lasts", async () => {
    const usage = await Usage.open(path, options());
    const account = usage.enter("owner", "Ada");
    assert.equal(usage.enter("owner", "Ada"), account);
    const [first, second] = [visitor(1, 10), visitor(2, 20)];
    for (const each of [first, second]) account.traffic.add(each);
    await clock.advance(5_000);
    assert.equal(usage.of("owner").bytesToday, 33);
    usage.leave("owner");
    usage.leave("owner");
    await clock.advance(5_000);
    // Still under way: the link's end does not lose it.
    second.bytesRead += 100;
    second.emit("close");
    first.emit("close");
    await usage.close();
    assert.deepEqual(counted, { Ada: 133 });
    const again = await Usage.open(path, options());
    assert.equal(again.of("owner").bytesInTotal, 133);
    assert.equal(again.of("nobody").bytesInTotal, 0);
    await again.close();
  });

  it("is written once a minute, in one piece", async () => {
    const usage = await Usage.open(path, options());
    usage.enter("owner", "Ada").traffic.add(visitor(7, 0));
    await clock.advance(55_000);
    await assert.rejects(readFile(path), { code: "ENOENT" });
    await clock.advance(5_000);
    await usage.close();
    assert.equal((JSON.parse(await readFile(path, "utf8")) as { owner: { bytesToday: number } }).owner.bytesToday, 7);
  });

  it("ends the links of who has carried more than its month allows, until the next one", async () => {
    limits.bytesPerMonth = 100;
    const usage = await Usage.open(path, options());
    const { traffic } = usage.enter("owner", "Ada");
    traffic.add(visitor(99, 0));
    await clock.advance(5_000);
    assert.equal(usage.exceeded("owner"), undefined);
    traffic.add(visitor(1, 0));
    await clock.advance(5_000);
    assert.deepEqual(
      exceeded.map(([owner, { code }]) => [owner, code]),
      [["owner", "busy"]],
    );
    assert.ok(Number(usage.exceeded("owner")?.retryAfterMs) > 0);
    assert.equal(usage.exceeded("another"), undefined);
    await clock.advance(endOfMonth(clock.now()) - clock.now());
    assert.equal(usage.exceeded("owner"), undefined);
    await usage.close();
  });

  it("starts over with a damaged file, which is kept", async () => {
    await writeFile(path, "{");
    const usage = await Usage.open(path, options());
    assert.equal(usage.of("owner").bytesInTotal, 0);
    await usage.close();
    assert.equal(await readFile(`${path}.damaged`, "utf8"), "{");
  });
});

describe("a client's bandwidth", () => {
  it("spreads bytes over time, after a quarter of a second's worth", async () => {
    const clock = new FakeClock();
    const bandwidth = new Bandwidth(clock, () => 1_000);
    assert.deepEqual([bandwidth.take(250), bandwidth.take(500), bandwidth.take(250)], [0, 500, 750]);
    await clock.advance(10_000);
    assert.equal(bandwidth.take(250), 0);
    assert.equal(new Bandwidth(clock, () => 0).take(1e9), 0);
  });

  it("holds for both directions of a stream, and loses nothing", async () => {
    const clock = new FakeClock();
    const [visitor, socket] = duplexPair();
    const [stream, client] = duplexPair();
    const throttled = new ThrottledStream(stream, new Bandwidth(clock, () => 100_000), clock);
    const ended = new Promise<unknown>((resolve) => {
      splice(socket, throttled, ({ error }) => resolve(error));
    });
    const sent = Buffer.alloc(300_000, "question");
    const answer = Buffer.alloc(200_000, "answer");
    visitor.end(sent);
    client.end(answer);
    let arrived = 0;
    for (const side of [visitor, client]) side.on("data", (chunk: Buffer) => (arrived += chunk.length));
    const whole = Promise.all([buffer(visitor), buffer(client)]);
    const startedAt = clock.monotonic();
    const over = new AbortController();
    void ended.then(() => over.abort());
    while (!over.signal.aborted) {
      // Never more than the rate allows, the burst and a chunk of each direction apart.
      const seconds = (clock.monotonic() - startedAt) / 1_000;
      assert.ok(arrived <= 100_000 * (seconds + 0.25) + 2 * 65_536, `${arrived} after ${seconds} s`);
      await clock.advance(50);
      await turn();
    }
    assert.equal(await ended, undefined);
    assert.deepEqual((await whole).map(String), [String(answer), String(sent)]);
    assert.ok(clock.monotonic() - startedAt >= 4_000, "it took its time");
    assert.equal(clock.pending, 0, "a timer is left");
  });

  it("passes on what breaks, in both directions", async () => {
    for (const breaks of ["inside", "outside"] as const) {
      const clock = new FakeClock();
      const [stream, client] = duplexPair();
      client.on("error", () => {});
      const throttled = new ThrottledStream(stream, new Bandwidth(clock, () => 1), clock);
      const failed = new Promise((resolve) => {
        throttled.on("error", resolve);
      });
      throttled.write("waits for its turn");
      throttled.write("and this, too");
      const error = new Error("broken");
      (breaks === "inside" ? stream : throttled).destroy(error);
      assert.equal(await failed, error);
      assert.ok(stream.destroyed && throttled.destroyed);
      assert.equal(clock.pending, 0, "a timer is left");
    }
  });
});
