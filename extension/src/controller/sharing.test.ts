import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { until } from "@porthole/testing/until";
import type { PortTarget } from "../ports/index.ts";
import { newLeaseFolder, testController, type TestController } from "./fixture.test.ts";

const web: PortTarget = { host: "localhost", port: 3000, scheme: undefined, label: "vite" };

/** Two windows of the same workspace, or one and its successor. */
describe("windows that share their ports", () => {
  let leaseFolder: string;
  let windows: TestController[];

  beforeEach(() => {
    leaseFolder = newLeaseFolder();
    windows = [];
  });
  afterEach(async () => {
    for (const { controller } of windows) await controller.close();
  });

  async function open(given: Parameters<typeof testController>[0] = {}): Promise<TestController> {
    const opened = testController({ leaseFolder, ...given });
    windows.push(opened);
    await opened.controller.resume();
    return opened;
  }

  const id = testController().controller.idOf(web);
  const phase = ({ controller }: TestController): string | undefined => controller.find(id)?.phase;
  /** Ids of the tunnels that the window's daemon runs now. */
  const serves = ({ daemons }: TestController): boolean => {
    const calls = daemons.at(-1)?.calls ?? [];
    const last = calls.findLast(({ method }) => method === "tunnel/start" || method === "tunnel/stop");
    return last?.method === "tunnel/start";
  };

  /** Lets time go by in every window, a look at a time, until the work is done. */
  async function passUntil(isDone: () => boolean, what: string): Promise<void> {
    await until(async () => {
      for (const { clock } of windows) await clock.advance(500);
      await pause(2);
      return isDone();
    }, what);
  }
  async function pass<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => (isDone = true));
    done.catch(() => {});
    await passUntil(() => isDone, "the work was done");
    return done;
  }

  it("show what another one exposes, and never serve it twice", async () => {
    const first = await open();
    await first.controller.expose(web);
    const second = await open({ stored: JSON.parse(JSON.stringify(first.stored)) });
    assert.equal(phase(second), "elsewhere");
    assert.equal(second.daemons.length, 0, "it starts no process for it");
    const third = await open();
    assert.equal(phase(third), "elsewhere", "also when it was exposed after the window was opened");
    assert.ok(serves(first));
  });

  it("take a port over, with the rules of the one that takes it", async () => {
    const first = await open();
    await first.controller.expose(web);
    const second = await open();
    first.secrets.forEach((value, key) => second.secrets.set(key, value));
    await pass(second.controller.protect(id, { users: ["ada:s3cret"] }));
    assert.deepEqual([serves(first), serves(second)], [false, true]);
    assert.equal(phase(second), "on");
    await passUntil(() => phase(first) === "elsewhere", "the first one shows it");
    assert.deepEqual(second.daemons.at(-1)?.specs().at(-1)?.access, { users: ["ada:s3cret"] });
    const starts = second.daemons[0]?.calls.findIndex(({ method }) => method === "tunnel/start");
    assert.ok(starts !== undefined && starts >= 0);
  });

  it("stop it everywhere at once", async () => {
    const first = await open();
    await first.controller.expose(web);
    const second = await open();
    await pass(second.controller.stop(id));
    assert.equal(serves(first), false, "nothing is served when the stop has returned");
    assert.equal(phase(second), "off");
    await passUntil(() => phase(first) === "off", "the other one knows it is stopped");
    await pass(first.controller.expose(web));
    await passUntil(() => phase(second) === "elsewhere", "it is seen again");
    await pass(second.controller.stopAll());
    assert.equal(serves(first), false);
  });

  it("hold the lease of a port that is exposed again while its tunnel still ends", async () => {
    const first = await open();
    await first.controller.expose(web);
    const [daemon] = first.daemons;
    assert.ok(daemon);
    const { promise: ended, resolve: end } = Promise.withResolvers<object>();
    daemon.answers["tunnel/stop"] = ended;
    const stopped = first.controller.stop(id);
    const exposed = first.controller.expose(web);
    await pause(20);
    assert.equal(daemon.specs().length, 1, "it does not start before the lease is free");
    end({});
    await pass(Promise.all([stopped, exposed]));
    assert.equal(daemon.specs().length, 2);
    assert.equal(phase(await open()), "elsewhere");
  });

  it("hold no lease of a port that was stopped while it started", async () => {
    const first = await open({ stored: { version: 1, seenAt: 0, trial: true, exposures: [] } });
    await first.controller.daemon();
    const [daemon] = first.daemons;
    assert.ok(daemon);
    const { promise: started, resolve: start } = Promise.withResolvers<unknown>();
    const relay = daemon.answers["trialRelay/start"];
    daemon.answers["trialRelay/start"] = started;
    const exposed = first.controller.expose(web);
    await until(() => daemon.calls.some(({ method }) => method === "trialRelay/start"), "it has begun");
    await first.controller.stop(id);
    start(relay);
    await exposed;
    await pause(200);
    assert.deepEqual(await readdir(leaseFolder).catch(() => []), []);
  });

  it("refuse to serve with rules that were changed where this window can't see it", async () => {
    const first = await open();
    await first.controller.expose(web);
    const second = await open();
    first.secrets.forEach((value, key) => second.secrets.set(key, value));
    await second.clock.advance(10);
    await first.clock.advance(20);
    await first.controller.protect(id, { users: ["ada:s3cret"] });
    await assert.rejects(pass(second.controller.expose(web)), { code: "state", message: /changed in another window/ });
    assert.equal(serves(second), false);
  });

  it("give everything up while the window does not answer, and continue when it does", async () => {
    const test = await open();
    await test.controller.expose(web);
    test.isThere = false;
    await passUntil(() => !serves(test), "the orphan has ended its tunnel");
    assert.equal(phase(test), "on");
    const next = await open();
    await passUntil(() => phase(next) !== "elsewhere", "nobody has it now");
    await next.controller.expose(web);
    assert.ok(serves(next));
    await pass(next.controller.stop(id));
  });

  it("wait for the window before the reload to let go", async () => {
    const orphan = await open();
    await orphan.controller.expose(web);
    const { stored } = orphan;
    orphan.isThere = false;
    const reloaded = await open({ stored });
    orphan.secrets.forEach((value, key) => reloaded.secrets.set(key, value));
    assert.equal(phase(reloaded), "elsewhere");
    await passUntil(() => serves(reloaded), "the reloaded window serves it");
    assert.deepEqual([phase(reloaded), serves(orphan)], ["on", false]);
  });

  it("remember a port that waits for the other window as one that is on", async () => {
    const orphan = await open();
    await orphan.controller.expose(web);
    const reloaded = await open({ stored: orphan.stored });
    assert.equal(phase(reloaded), "elsewhere");
    // Any other change writes the list.
    await reloaded.controller.relays.useTrial(true);
    assert.equal(phase(reloaded), "elsewhere");
    const { exposures } = reloaded.stored as { readonly exposures: readonly { readonly isOn: boolean }[] };
    assert.deepEqual(
      exposures.map(({ isOn }) => isOn),
      [true],
    );
  });

  it("tell the daemon which lease it runs on", async () => {
    const test = await open();
    await test.controller.expose(web);
    const { lease } = test.daemons[0]?.specs()[0] ?? {};
    assert.ok(lease);
    const { id: holder } = JSON.parse(await readFile(lease.path, "utf8")) as { readonly id: string };
    assert.equal(lease.holder, holder);
  });

  it("don't continue by themselves with what was stopped elsewhere", async () => {
    const first = await open();
    await first.controller.expose(web);
    const second = await open({ stored: first.stored });
    assert.equal(phase(second), "elsewhere");
    await pass(first.controller.stop(id));
    await passUntil(() => phase(second) === "off", "it is stopped there, too");
    assert.equal(second.daemons.length, 0);
  });

  it("learn that another process took the lease because this one stood still", async () => {
    const test = await open();
    await test.controller.expose(web);
    const [lock] = (await readdir(leaseFolder)).filter((name) => name.endsWith(".lock"));
    const path = join(leaseFolder, lock ?? assert.fail("there is no lock"));
    await writeFile(path, JSON.stringify({ id: "another", pid: process.pid, host: hostname(), count: 0 }));
    await passUntil(() => phase(test) === "elsewhere", "it is shown as the other's");
    await passUntil(() => !serves(test), "its tunnel has ended");
    await rm(path);
    await passUntil(() => phase(test) === "off", "the other one has gone");
  });

  it("take the lease of a process that was killed", async () => {
    const program = `
      import { Leases } from ${JSON.stringify(new URL("./leases.ts", import.meta.url).href)};
      import { systemClock } from ${JSON.stringify(import.meta.resolve("@porthole/common/util"))};
      const leases = new Leases(${JSON.stringify(leaseFolder)}, { ...systemClock, now: () => 0 });
      await leases.hold({ id: ${JSON.stringify(id)}, target: ${JSON.stringify(web)}, seal: "" }, () => {});
      process.stdin.resume();
      console.log("held");`;
    const child = spawn(process.execPath, ["--conditions=source", "--input-type=module", "-e", program], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const test = await open();
    assert.equal(phase(test), "elsewhere");
    child.kill("SIGKILL");
    await once(child, "exit");
    await passUntil(() => phase(test) === "off", "nobody serves it");
    await pass(test.controller.expose(web));
    assert.ok(serves(test));
  });
});
