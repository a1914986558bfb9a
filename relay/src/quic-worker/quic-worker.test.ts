import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { PortholeError } from "@porthole/common/errors";
import { freePort, platformReason, skipUnless } from "@porthole/testing";
import { dial, openQuicWorker, relayIdentity, selfSigned, until, useQuicWorker } from "./fixture.test.ts";

const mebibyte = 1024 * 1024;

describe("the QUIC worker", function () {
  this.timeout(120_000);
  const quic = useQuicWorker();
  const { lines, connect, facts } = quic;
  const execArgv = [...process.execArgv];

  afterEach(() => {
    process.execArgv = [...execArgv];
  });

  /** A module that is loaded into the QUIC worker before its own program. */
  async function withHook(code: string): Promise<void> {
    const path = join(quic.folder, "hook.mjs");
    await writeFile(path, `if (process.argv[1]?.includes("quic-worker")) {\n${code}\n}`);
    process.execArgv = [...execArgv, "--import", pathToFileURL(path).href];
  }

  async function returns(): Promise<void> {
    await until(() => facts().state === "up", "the QUIC worker was up again");
    const { relay } = await connect();
    assert.equal(relay.kind, "quic");
  }

  it("shows what it does, and that it shows no secret", async () => {
    await quic.open();
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
    await quic.open();
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
    await quic.open();
    const { relay } = await connect();
    process.kill(Number(facts().pid), "SIGSTOP");
    assert.match((await relay.closed).message, /was silent for 3\.\d+ s/);
    await returns();
  });

  it("busy with nothing: ended, another one serves", async () => {
    await withHook('process.on("SIGUSR2", () => { for (;;); });');
    await quic.open();
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
    await quic.open();
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
    await quic.open({ memoryCapBytes: 384 * mebibyte });
    const { relay } = await connect();
    process.kill(Number(facts().pid), "SIGUSR2");
    assert.match((await relay.closed).message, /used \d+ MiB of memory, more than the 384 that it may/);
    await returns();
  });

  it("crashing as soon as it starts: tried again and again with pauses, until it serves", async () => {
    const port = await freePort();
    const broken = join(quic.folder, "broken");
    await writeFile(broken, "");
    await withHook(
      `const { existsSync } = await import("node:fs"); if (existsSync(${JSON.stringify(broken)})) process.exit(7);`,
    );
    await quic.open({ port });
    assert.equal(facts().state, "down");
    assert.match(facts().reason ?? "", /The QUIC worker ended with status 7/);
    await until(() => facts().restarts >= 2, "it was tried again");
    await rm(broken);
    await returns();
  });

  it("says at once what no other start can mend", async () => {
    await quic.open();
    await assert.rejects(openQuicWorker({ port: quic.port }), { code: "address" });
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
    await quic.open();
    const { relay } = await connect();
    const renewed = selfSigned();
    quic.worker.setCertificate(renewed.cert, "no key");
    await until(() => lines.some((each) => each.includes("continues with the old certificate")), "it had complained");
    quic.worker.setCertificate(renewed.cert, renewed.key);
    await arrives(false);
    assert.doesNotThrow(() => relay.openStream());
    process.kill(Number(facts().pid), "SIGKILL");
    await until(() => facts().restarts === 1 && facts().state === "up", "the QUIC worker was up again");
    await assert.rejects(dial(quic.port), { code: "untrusted" });
    quic.worker.setCertificate(relayIdentity.cert, relayIdentity.key);
    await arrives(true);
    process.kill(Number(facts().pid), "SIGKILL");
    await until(() => facts().restarts === 2 && facts().state === "starting", "it was being started once more");
    quic.worker.setCertificate(renewed.cert, renewed.key);
    await until(() => facts().state === "up", "the QUIC worker was up once more");
    await arrives(false);

    /** The certificate is on its way to the QUIC worker, and a client may be faster. */
    async function arrives(trusted: boolean): Promise<void> {
      for (let isTrusted = !trusted; isTrusted !== trusted;) {
        const outcome = await dial(quic.port).catch((error: PortholeError) => error.code);
        isTrusted = typeof outcome !== "string";
        if (typeof outcome !== "string") quic.connections.push(outcome);
        else assert.equal(outcome, "untrusted");
      }
    }
  });

  it("tells clients when it stops, and leaves nothing behind", async () => {
    const { TMPDIR } = process.env;
    process.env["TMPDIR"] = quic.folder;
    try {
      await quic.open();
    } finally {
      if (TMPDIR === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = TMPDIR;
    }
    const { client } = await connect();
    assert.equal((await readdir(quic.folder)).length, 1);
    await quic.worker.close();
    assert.equal((await client.closed).code, "closed");
    assert.deepEqual(await readdir(quic.folder), []);
    await quic.worker.close();
  });
});
