import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { FakeClock } from "@porthole/testing/fake-clock";
import { until } from "@porthole/testing/until";
import { systemClock, type Clock } from "./clock.ts";
import { lockFile, whileHeld, type Lock } from "./lock.ts";

describe("lock file", () => {
  let folder: string;
  let path: string;
  let signal: AbortSignal;
  let children: ChildProcess[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-lock-"));
    path = join(folder, "cert.pem.lock");
    signal = new AbortController().signal;
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  /** Another process that takes the lock and keeps it. */
  async function otherHolder(): Promise<ChildProcess> {
    const program = `
      import { lockFile } from ${JSON.stringify(new URL("./lock.ts", import.meta.url).href)};
      import { systemClock } from ${JSON.stringify(new URL("./clock.ts", import.meta.url).href)};
      const lock = await lockFile(${JSON.stringify(path)}, systemClock, new AbortController().signal);
      process.stdin.on("end", () => lock.release()).resume();
      console.log("held");`;
    const child = spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", program], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    children.push(child);
    await once(child.stdout, "data");
    return child;
  }

  /** Passes time as long as somebody waits for nothing else; returns how much of it went by until the promise settled. */
  async function pass(clock: FakeClock, promise: Promise<unknown>): Promise<number> {
    const progress = { isOver: false };
    const end = promise.finally(() => (progress.isOver = true));
    const from = clock.monotonic();
    while (!progress.isOver) {
      if (clock.nextMs === undefined) await access(folder);
      else await clock.advance(clock.nextMs);
    }
    await end;
    return clock.monotonic() - from;
  }

  it("is held by one at a time, in the order of asking, and leaves nothing behind", async () => {
    const order: number[] = [];
    let holders = 0;
    await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const lock = await lockFile(path, systemClock, signal);
        await whileHeld(lock, signal, async () => {
          assert.equal(++holders, 1);
          order.push(index);
          await turn();
          holders--;
        });
      }),
    );
    assert.deepEqual(
      order,
      Array.from({ length: 20 }, (_, index) => index),
    );
    assert.deepEqual(await readdir(folder), []);
  });

  it("a waiter that was aborted is not in the way", async () => {
    const first = await lockFile(path, systemClock, signal);
    const impatient = new AbortController();
    const second = assert.rejects(lockFile(path, systemClock, impatient.signal), /no more/);
    const third = lockFile(path, systemClock, signal);
    impatient.abort(new Error("no more"));
    await second;
    await first.release();
    await (await third).release();
  });

  it("another process that holds it is waited for", async () => {
    const child = await otherHolder();
    const clock = new FakeClock();
    const waiting = lockFile(path, clock, signal);
    // It sets a timer only when it has found the lock held.
    await until(() => clock.nextMs !== undefined, "somebody waited");
    child.stdin?.end();
    await once(child, "exit");
    assert.ok((await pass(clock, waiting)) <= 3_000);
    await (await waiting).release();
  });

  it("one that was killed is not", async () => {
    const child = await otherHolder();
    child.kill("SIGKILL");
    await once(child, "exit");
    const clock = new FakeClock();
    const taken = lockFile(path, clock, signal);
    assert.ok((await pass(clock, taken)) <= 3_000);
    await (await taken).release();
    assert.deepEqual(await readdir(folder), []);
  });

  for (const [what, text] of [
    ["another machine's that is silent", JSON.stringify({ id: "x", pid: 1, host: "elsewhere", count: 3 })],
    [
      "one with our own pid after a restart in a container",
      JSON.stringify({ id: "x", pid: process.pid, host: hostname(), count: 3 }),
    ],
    ["a damaged one", "\0\0\0"],
  ] as const) {
    it(`${what} is taken after a while, not at once`, async () => {
      await writeFile(path, text);
      const clock = new FakeClock();
      const taken = lockFile(path, clock, signal);
      const waitedMs = await pass(clock, taken);
      assert.ok(waitedMs >= 11_000 && waitedMs < 20_000, String(waitedMs));
      await (await taken).release();
    });
  }

  it("one who has not looked for a while does not judge the holder by that", async () => {
    await writeFile(path, JSON.stringify({ id: "x", pid: 1, host: "elsewhere", count: 3 }));
    const clock = new FakeClock();
    let stoodStillMs = 0;
    const jumpy: Clock = {
      now: () => clock.now() + stoodStillMs,
      monotonic: () => clock.monotonic() + stoodStillMs,
      timer: (delayMs, callback) => clock.timer(delayMs, callback),
    };
    const taken = lockFile(path, jumpy, signal);
    while (clock.nextMs === undefined) await access(folder);
    stoodStillMs = 60_000;
    assert.ok((await pass(clock, taken)) >= 11_000);
    await (await taken).release();
  });

  it("a holder that shows signs of life keeps it, one that was taken over is told", async () => {
    const clock = new FakeClock();
    const lock: Lock = await lockFile(path, clock, signal);
    let last = await readFile(path, "utf8");
    for (let round = 0; round < 4; round++) {
      while (clock.nextMs === undefined) await access(folder);
      await clock.advance(clock.nextMs);
      let text = last;
      while (text === last) text = await readFile(path, "utf8");
      last = text;
    }
    await writeFile(path, JSON.stringify({ id: "other", pid: 1, host: "elsewhere", count: 0 }));
    const lost = once(lock.signal, "abort");
    await pass(clock, lost);
    assert.equal((lock.signal.reason as { code: string }).code, "state");
    await lock.release();
    assert.match(await readFile(path, "utf8"), /other/, "the other's lock is left alone");
  });

  it("work under a lost lock is aborted", async () => {
    const lost = new AbortController();
    const lock: Lock = { signal: lost.signal, release: async () => {} };
    const work = whileHeld(
      lock,
      signal,
      (within) =>
        new Promise((_, reject) => {
          within.addEventListener("abort", () => reject(within.reason as Error));
        }),
    );
    lost.abort(new Error("lost"));
    await assert.rejects(work, /lost/);
  });
});
