import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { PortholeError } from "@porthole/common/errors";
import { createLink, type TransportConnection, type TransportStream } from "@porthole/common/link";
import { freePort, platformReason, skipUnless } from "@porthole/testing";
import { systemClock } from "@porthole/common/util";
import { dial, openQuicWorker, relayIdentity, selfSigned, type TestWorker } from "./fixture.test.ts";

const over = new PortholeError("closed", "The test is over");
const mebibyte = 1024 * 1024;
/** So that one visitor alone is never too much, however fast it was and however busy this machine is. */
const largestWindow = 4 * mebibyte;

describe("the QUIC worker", function () {
  this.timeout(120_000);
  let folder: string;
  let test: TestWorker | undefined;
  const connections: TransportConnection[] = [];
  const execArgv = [...process.execArgv];
  const lines: string[] = [];
  const line = (_fields: object, text: string): void => void lines.push(text);
  const log = { debug: line, info: line, warn: line, error: line };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-test-"));
    lines.length = 0;
  });

  afterEach(async () => {
    process.execArgv = [...execArgv];
    await Promise.all(connections.splice(0).map((connection) => connection.close(over)));
    const pid = test?.worker.facts().pid;
    await test?.worker.close();
    test = undefined;
    if (pid !== undefined) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    await rm(folder, { recursive: true });
  });

  /** A module that is loaded into the QUIC worker before its own program. */
  async function withHook(code: string): Promise<void> {
    const path = join(folder, "hook.mjs");
    await writeFile(path, `if (process.argv[1]?.includes("quic-worker")) {\n${code}\n}`);
    process.execArgv = [...execArgv, "--import", pathToFileURL(path).href];
  }

  async function connect(): Promise<{ relay: TransportConnection; client: TransportConnection }> {
    assert.ok(test);
    const [relay, client] = await Promise.all([test.accept(), dial(test.port)]);
    connections.push(client);
    return { relay, client };
  }

  function facts() {
    assert.ok(test);
    return test.worker.facts();
  }

  async function returns(): Promise<void> {
    await until(() => facts().state === "up", "the QUIC worker was up again");
    const { relay } = await connect();
    assert.equal(relay.kind, "quic");
  }

  it("shows what it does, and that it shows no secret", async () => {
    test = await openQuicWorker({ log });
    await connect();
    await until(() => facts().engine.accepted === 1 && facts().rssBytes > 0, "it had counted the link");
    const { state, restarts, links, pid, engine } = facts();
    assert.deepEqual({ state, restarts, links }, { state: "up", restarts: 0, links: 1 });
    assert.equal(engine.connections, 1);
    if (process.platform === "linux") {
      const shown = (await readFile(`/proc/${pid}/cmdline`)) + (await readFile(`/proc/${pid}/environ`, "latin1"));
      assert.doesNotMatch(shown, /PRIVATE KEY|PORTHOLE_/);
    }
  });

  it("killed: its links end and say why, another one serves", async () => {
    test = await openQuicWorker({ log });
    const { relay } = await connect();
    const stream = relay.openStream();
    stream.write("x");
    await until(() => facts().engine.accepted === 1, "it had counted the link");
    process.kill(Number(facts().pid), "SIGKILL");
    const reason = await relay.closed;
    assert.equal(reason.code, "closed");
    assert.match(reason.message, /The QUIC worker was ended by SIGKILL/);
    assert.ok(stream.destroyed);
    assert.throws(() => relay.openStream(), { code: "closed" });
    await returns();
    assert.equal(facts().restarts, 1);
    await until(() => facts().engine.accepted === 2, "counters continued");
    assert.match(lines.join("\n"), /was ended by SIGKILL; clients continue over HTTP\/2[^]*up again/);
  });

  it("hung: ended after three silent seconds, another one serves", async () => {
    test = await openQuicWorker({ log });
    const { relay } = await connect();
    process.kill(Number(facts().pid), "SIGSTOP");
    assert.match((await relay.closed).message, /was silent for 3\.\d+ s/);
    await returns();
  });

  it("busy with nothing: ended, another one serves", async () => {
    await withHook('process.on("SIGUSR2", () => { for (;;); });');
    test = await openQuicWorker({ log });
    const { relay } = await connect();
    process.kill(Number(facts().pid), "SIGUSR2");
    assert.match((await relay.closed).message, /was silent for \d+(\.\d+)? s/);
    await returns();
  });

  it("starved: waited for", async function () {
    skipUnless(this, process.platform === "linux", platformReason("Only Linux tells who waits for a processor"));
    // What it does between two words takes it half a second of a processor.
    await withHook(
      "const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };" +
        'process.on("SIGUSR2", () => setInterval(() => { const until = used() + 500; while (used() < until); }, 100));',
    );
    test = await openQuicWorker({ log });
    await connect();
    const { pid } = facts();
    const run = (command: string, ...args: string[]) => void execFileSync(command, args, { stdio: "ignore" });
    // Other processes on its only processor come first.
    run("taskset", "--all-tasks", "--cpu-list", "--pid", "0", String(pid));
    run("chrt", "--all-tasks", "--idle", "--pid", "0", String(pid));
    process.kill(Number(pid), "SIGUSR2");
    const others = Array.from({ length: 4 }, () =>
      spawn("taskset", ["--cpu-list", "0", process.execPath, "-e", "for (;;);"], { stdio: "ignore" }),
    );
    try {
      let { beats } = facts();
      let silentSince = performance.now();
      await until(() => {
        if (facts().beats !== beats) silentSince = performance.now();
        ({ beats } = facts());
        return performance.now() - silentSince > 4_000;
      }, "it had been silent for long");
    } finally {
      for (const other of others) other.kill("SIGKILL");
      // Other tests may keep that processor busy for longer than a link may be silent.
      run("chrt", "--all-tasks", "--other", "--pid", "0", String(pid));
    }
    const { beats } = facts();
    await until(() => facts().beats > beats, "it said something again");
    assert.deepEqual([facts().pid, facts().restarts, facts().links], [pid, 0, 1]);
  });

  it("too large: ended, another one serves", async () => {
    // Bit by bit: filling so much at once takes a busy machine longer than a QUIC worker may be silent.
    await withHook(`
      const hoard = [];
      const grow = () => { if (hoard.push(Buffer.alloc(${mebibyte}, 1)) < 400) setTimeout(grow); };
      process.on("SIGUSR2", grow);`);
    test = await openQuicWorker({ log, memoryCapBytes: 384 * mebibyte });
    const { relay } = await connect();
    process.kill(Number(facts().pid), "SIGUSR2");
    assert.match((await relay.closed).message, /used \d+ MiB of memory, more than the 384 that it may/);
    await returns();
  });

  it("crashing as soon as it starts: tried again and again with pauses, until it serves", async () => {
    const port = await freePort();
    const broken = join(folder, "broken");
    await writeFile(broken, "");
    await withHook(
      `const { existsSync } = await import("node:fs"); if (existsSync(${JSON.stringify(broken)})) process.exit(7);`,
    );
    test = await openQuicWorker({ log, port });
    assert.equal(facts().state, "down");
    assert.match(facts().reason ?? "", /The QUIC worker ended with status 7/);
    await until(() => facts().restarts >= 2, "it was tried again");
    await rm(broken);
    await returns();
  });

  it("says at once what no other start can mend", async () => {
    test = await openQuicWorker();
    await assert.rejects(openQuicWorker({ port: test.port }), { code: "address" });
    await assert.rejects(openQuicWorker({ cert: "no certificate" }), { code: "key" });
    await withHook(
      `const { default: Module } = await import("node:module");
      const resolve = Module._resolveFilename;
      Module._resolveFilename = function (request, ...rest) {
        if (/^@matrixai.quic/.test(request)) throw new Error("there is no such binary");
        return resolve.call(this, request, ...rest);
      };`,
    );
    const { worker } = await openQuicWorker();
    assert.equal(worker.facts().state, "unavailable");
    assert.match(worker.facts().reason ?? "", /there is no such binary/);
    await worker.close();
  });

  it("has no QUIC inside Electron, whose way to be Node it passes on", async () => {
    await withHook(`Object.defineProperty(process, "versions", { value: { ...process.versions, electron: "30.0.0" } });
      if (process.env.ELECTRON_RUN_AS_NODE !== "1") process.exit(9);`);
    process.env["ELECTRON_RUN_AS_NODE"] = "1";
    try {
      const { worker } = await openQuicWorker();
      assert.match(worker.facts().reason ?? "", /inside Electron/);
      assert.equal(worker.facts().state, "unavailable");
      await worker.close();
    } finally {
      delete process.env["ELECTRON_RUN_AS_NODE"];
    }
  });

  it("serves a new certificate to new links, also after a restart, and keeps the old one when the engine refuses it", async () => {
    test = await openQuicWorker({ log });
    const { relay } = await connect();
    const renewed = selfSigned();
    test.worker.setCertificate(renewed.cert, "no key");
    await until(() => lines.some((each) => each.includes("continues with the old certificate")), "it had complained");
    test.worker.setCertificate(renewed.cert, renewed.key);
    await arrives(false);
    assert.doesNotThrow(() => relay.openStream());
    process.kill(Number(facts().pid), "SIGKILL");
    await until(() => facts().restarts === 1 && facts().state === "up", "the QUIC worker was up again");
    await assert.rejects(dial(test.port), { code: "untrusted" });
    test.worker.setCertificate(relayIdentity.cert, relayIdentity.key);
    await arrives(true);
    process.kill(Number(facts().pid), "SIGKILL");
    await until(() => facts().restarts === 2 && facts().state === "starting", "it was being started once more");
    test.worker.setCertificate(renewed.cert, renewed.key);
    await until(() => facts().state === "up", "the QUIC worker was up once more");
    await arrives(false);

    /** The certificate is on its way to the QUIC worker, and a client may be faster. */
    async function arrives(trusted: boolean): Promise<void> {
      for (let isTrusted = !trusted; isTrusted !== trusted;) {
        const outcome = await dial(Number(test?.port)).catch((error: PortholeError) => error.code);
        isTrusted = typeof outcome !== "string";
        if (typeof outcome !== "string") connections.push(outcome);
        else assert.equal(outcome, "untrusted");
      }
    }
  });

  it("drops a visitor that does not read before a link holds too much, tells both sides, and the others continue", async () => {
    test = await openQuicWorker({ log, maxHeldBytes: largestWindow });
    const ends = await connect();
    const relay = createLink(ends.relay, { clock: systemClock, heartbeat: "watch" });
    const client = createLink(ends.client, { clock: systemClock, heartbeat: "send" });
    const failed: string[] = [];
    const told: string[] = [];
    void (async () => {
      for await (const stream of client.incoming) {
        stream.on("error", (error: PortholeError) => void told.push(error.code));
        stream.resume().end(Buffer.alloc(2 * mebibyte));
      }
    })();
    const streams = Array.from({ length: 20 }, () => relay.openStream());
    for (const stream of streams) {
      stream.on("error", (error: PortholeError) => void failed.push(error.code));
      stream.end("get");
    }
    await until(() => failed.length > 0, "one of them was dropped");
    const reads = streams.map(async (stream) => {
      let bytes = 0;
      for await (const chunk of stream) bytes += (chunk as Buffer).length;
      assert.equal(bytes, 2 * mebibyte);
    });
    const whole = (await Promise.allSettled(reads)).filter(({ status }) => status === "fulfilled").length;
    assert.ok(whole > 0);
    assert.deepEqual(
      failed,
      Array.from({ length: streams.length - whole }, () => "limit"),
    );
    await until(() => relay.openStreams + client.openStreams === 0, "no stream was left");
    assert.deepEqual(
      told,
      Array.from(failed, () => "aborted"),
    );
  });

  describe("an aborted stream", () => {
    async function failure(stream: Duplex): Promise<PortholeError> {
      const [error] = (await once(stream.resume(), "error")) as [PortholeError];
      return error;
    }

    // TransportConnections without links: no message says it.
    it("is one at the client by its end alone", async () => {
      test = await openQuicWorker({ log });
      const { relay, client } = await connect();
      const link = createLink(client, { clock: systemClock, heartbeat: "watch" });
      const given = relay.openStream();
      given.write("half of it");
      const { value } = await link.incoming[Symbol.asyncIterator]().next();
      const failed = failure(value as Duplex);
      given.abort?.();
      assert.equal((await failed).code, "aborted");
    });

    it("is one at the relay by its end alone", async () => {
      test = await openQuicWorker({ log });
      const { relay, client } = await connect();
      const link = createLink(relay, { clock: systemClock, heartbeat: "watch" });
      const stream = link.openStream();
      stream.write("continue");
      const { value: given } = await client.incoming[Symbol.asyncIterator]().next();
      const failed = failure(stream);
      (given as TransportStream).write("half of it");
      (given as TransportStream).abort?.();
      assert.equal((await failed).code, "aborted");
    });
  });

  it("holds nothing for visitors who have come and gone", async () => {
    test = await openQuicWorker({ log, maxHeldBytes: largestWindow });
    const ends = await connect();
    const relay = createLink(ends.relay, { clock: systemClock, heartbeat: "watch" });
    const client = createLink(ends.client, { clock: systemClock, heartbeat: "send" });
    void (async () => {
      for await (const stream of client.incoming)
        stream
          .on("error", () => {})
          .resume()
          .end(Buffer.alloc(mebibyte));
    })();
    for (let visitor = 0; visitor < 20; visitor++) {
      const stream = relay.openStream();
      stream.end("get");
      for await (const chunk of stream) {
        assert.ok((chunk as Buffer).length > 0);
        // Every other one leaves in the middle.
        if (visitor % 2 === 1) break;
      }
    }
    await until(() => relay.openStreams + client.openStreams === 0, "no stream was left");
    assert.deepEqual(lines, []);
  });

  it("tells clients when it stops, and leaves nothing behind", async () => {
    const { TMPDIR } = process.env;
    process.env["TMPDIR"] = folder;
    try {
      test = await openQuicWorker();
    } finally {
      if (TMPDIR === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = TMPDIR;
    }
    const { client } = await connect();
    assert.equal((await readdir(folder)).length, 1);
    await test.worker.close();
    assert.equal((await client.closed).code, "closed");
    assert.deepEqual(await readdir(folder), []);
    await test.worker.close();
  });
});

async function until(condition: () => boolean, what: string): Promise<void> {
  const giveUpAt = performance.now() + 40_000;
  while (!condition()) {
    assert.ok(performance.now() < giveUpAt, `It never came that ${what}`);
    await pause(20);
  }
}
