import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { beginExchange, FakeClock, requestHead, tellExchange } from "@porthole/testing";
import { Inspector, type InspectorOptions } from "./inspector.ts";
import { KeptFile } from "./kept-file.ts";

describe("requests that outlive their process", () => {
  const key = randomBytes(32);
  let clock: FakeClock;
  let folder: string;
  let path: string;
  let before: Inspector;
  const open: Inspector[] = [];

  beforeEach(async () => {
    clock = new FakeClock();
    folder = await mkdtemp(join(tmpdir(), "porthole-kept-"));
    path = join(folder, "requests");
    before = inspector();
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
    await rm(folder, { recursive: true });
  });

  function inspector(options: Partial<InspectorOptions> = {}): Inspector {
    const made = new Inspector({ clock, ...options });
    open.push(made);
    return made;
  }

  const file = (change: { readonly key?: Buffer; readonly owner?: string } = {}): KeptFile =>
    new KeptFile({ path, key, owner: "web", clock, ...change });

  /** What the next process has. */
  async function next(): Promise<Inspector> {
    await file().write(before.keep() ?? assert.fail("there is nothing to keep"));
    return inspector({ kept: await file().take() });
  }

  it("are the same in the next one: heads, bodies, times, errors, and what was replayed", async () => {
    const head = { method: "POST", target: "/a?token=hush", headers: ["Host", "name.example", "Cookie", "s=1"] };
    tellExchange(before, { request: head, requestBody: randomBytes(200_000), responseBody: '{"a":1}', status: 201 });
    await clock.advance(1_000);
    tellExchange(before, { error: new PortholeError("service-down", "Nobody listens", { hint: "Start it." }) });
    const after = await next();
    assert.deepEqual((await after.list({})).exchanges, (await before.list({})).exchanges);
    for (const unredacted of [false, true])
      assert.deepEqual(after.detail({ id: "1", unredacted }), before.detail({ id: "1", unredacted }));
    for (const side of ["request", "response"] as const)
      assert.deepEqual(await after.body({ id: "1", side }), await before.body({ id: "1", side }));
    assert.doesNotMatch(JSON.stringify(after.detail({ id: "1" })), /hush/);
    assert.equal(after.detail({ id: "1" }).replay.possible, true);
    assert.equal(after.status().bytes, before.status().bytes);
    tellExchange(after);
    assert.deepEqual(
      (await after.list({})).exchanges.map(({ id }) => id),
      ["3", "2", "1"],
    );
  });

  it("have their messages, and what was open has ended", async () => {
    const socket = before.begin(requestHead());
    const headers = ["Upgrade", "websocket"];
    socket?.upgraded({ status: 101, statusText: "", headers, by: "service" });
    socket?.upgradeChunk("service", Buffer.from("\x81\x02hi", "latin1"));
    const events = ["Content-Type", "text/event-stream"];
    beginExchange(before, { responseHeaders: events, responseBody: "data: one\n\ndata: two\n\n" });
    const after = await next();
    for (const id of ["1", "2"]) {
      assert.deepEqual(await after.messages({ id }), await before.messages({ id }));
      const { state, error } = after.detail({ id }).summary;
      assert.deepEqual([state, error?.code], ["failed", "aborted"]);
    }
  });

  it("stay paused", async () => {
    before.setRecording(false);
    assert.equal((await next()).status().recording, false);
  });

  it("are the newest within a bound", async () => {
    for (let each = 0; each < 20; each++) tellExchange(before, { responseBody: randomBytes(1_000_000) });
    const { exchanges } = await (await next()).list({});
    assert.equal(exchanges[0]?.id, "20");
    assert.equal(exchanges.length, 16);
  });

  it("are nothing at all when nothing was recorded", () => {
    assert.equal(before.keep(), undefined);
  });

  it("are unreadable on the disk, for this user only, and read once", async () => {
    tellExchange(before, { request: { target: "/plain-path" }, responseBody: "plain-body" });
    await file().write(before.keep() ?? assert.fail("there is nothing to keep"));
    assert.doesNotMatch((await readFile(path)).toString("latin1"), /plain|name\.example/);
    if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.ok(await file().take());
    assert.deepEqual(await readdir(folder), []);
    assert.equal(await file().take(), undefined);
  });

  const spoil: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    "a changed byte": (bytes) => (bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40), bytes),
    "a changed tag": (bytes) => (bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1), bytes),
    "a cut end": (bytes) => bytes.subarray(0, -5),
    "a few bytes": () => Buffer.from("short"),
    "no bytes": () => Buffer.alloc(0),
    "something else": () => randomBytes(1_000),
  };
  for (const [what, change] of Object.entries(spoil))
    it(`are refused with ${what}, and removed`, async () => {
      tellExchange(before);
      await file().write(before.keep() ?? assert.fail("there is nothing to keep"));
      await writeFile(path, change(await readFile(path)));
      await assert.rejects(file().take(), { code: "state" });
      assert.deepEqual(await readdir(folder), []);
    });

  for (const [what, change] of [
    ["another key", { key: randomBytes(32) }],
    ["another tunnel", { owner: "other" }],
    ["a key that is none", { key: Buffer.from("short") }],
  ] as const)
    it(`are refused with ${what}, and removed`, async () => {
      tellExchange(before);
      await file().write(before.keep() ?? assert.fail("there is nothing to keep"));
      await assert.rejects(file(change).take(), { code: "state" });
      assert.deepEqual(await readdir(folder), []);
    });

  for (const [what, ageMs] of [
    ["older than ten minutes", 10 * 60_000 + 1],
    ["of the future", -1],
  ] as const)
    it(`are ignored when they are ${what}, and removed`, async () => {
      tellExchange(before);
      const kept = before.keep() ?? assert.fail("there is nothing to keep");
      const at = clock.now();
      const other = { now: () => at - ageMs, monotonic: () => 0, timer: clock.timer.bind(clock) };
      await new KeptFile({ path, key, owner: "web", clock: other }).write(kept);
      assert.equal(await file().take(), undefined);
      assert.deepEqual(await readdir(folder), []);
    });
});
