import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { skipUnless } from "@porthole/testing/skip";
import { soon, until, useScope } from "@porthole/testing/end-to-end";
import {
  createNetlab,
  netlabMissing,
  type Host,
  type Netlab,
  type NetlabOptions,
  watchProgram,
  type Entry,
  type Program,
} from "@porthole/testing/netlab";

describe("The network lab", function () {
  this.timeout(60_000);
  const scope = useScope();

  before(function () {
    const missing = netlabMissing();
    skipUnless(this, missing === undefined, missing ?? "");
  });

  async function makeLab(options: NetlabOptions): Promise<Netlab> {
    const lab = await createNetlab(options);
    scope.defer(() => lab.close());
    const listener = probe(lab, "relay", "listen");
    await listener.when("the listener to be ready", (entries) => entries[0]);
    return lab;
  }

  it("delays, both ways", async () => {
    const lab = await makeLab({ delayMs: 30, lossPercent: 0 });
    const { arrived, roundTripMs } = await ask(lab, 500);
    assert.equal(arrived.length, 500);
    assert.ok(roundTripMs >= 60, `The round trip took ${roundTripMs} ms`);
    assert.equal((await lab.stats()).toRelay.lost, 0);
  });

  it("loses the same packets again for the same seed, and others for another", async () => {
    const arrivals = await Promise.all(
      [7, 7, 8].map(async (seed) => (await ask(await makeLab({ delayMs: 1, lossPercent: 10, seed }), 500)).arrived),
    );
    const [first = [], again, other] = arrivals;
    assert.ok(first.length > 415 && first.length < 485, `${first.length} of 500 arrived`);
    assert.deepEqual(again, first);
    assert.notDeepEqual(other, first);
  });

  it("limits the rate, and drops what its queue can't hold", async () => {
    // A second of 0.02 Mbit/s are 25 frames with these datagrams in them.
    const lab = await makeLab({ delayMs: 1, lossPercent: 0, rateMbit: 0.02, queueMs: 1_000 });
    const { arrived, sentMs, roundTripMs } = await ask(lab, 300);
    // What the queue holds is before the question, and who is slow to send finds room again and again.
    assert.ok(arrived.length >= 25, `The question overtook the queue: ${arrived.length} had arrived`);
    const most = 30 + (25 * (sentMs + roundTripMs)) / 1_000;
    assert.ok(arrived.length <= most, `${arrived.length} arrived in ${sentMs + roundTripMs} ms`);
    // The question may have been dropped, too, and asked again.
    assert.ok((await lab.stats()).toRelay.overflowed >= 300 - arrived.length);
  });

  it("drops UDP and nothing else, for as long as it is told to", async () => {
    const lab = await makeLab({ delayMs: 1, lossPercent: 0 });
    await lab.udpBlackhole(true);
    assert.deepEqual((await ask(lab, 10)).arrived, []);
    await lab.udpBlackhole(false);
    assert.equal((await ask(lab, 10)).arrived.length, 10);
    assert.equal((await lab.stats()).toRelay.blackholed, 10);
  });

  it("cuts and heals, and moves the client", async () => {
    const lab = await makeLab({ delayMs: 1, lossPercent: 0 });
    await lab.cut();
    await assert.rejects(ask(lab, 1), /ENETUNREACH/);
    await lab.heal();
    assert.equal((await ask(lab, 10)).arrived.length, 10);
    assert.equal(await lab.readdress(), "10.77.0.3");
    assert.equal((await ask(lab, 10)).arrived.length, 10);
    assert.equal(await lab.readdress(), "10.77.0.2");
  });

  it("TCP on the wire has the congestion control that was asked for, also after a cut and a move", async () => {
    const lab = await makeLab({ delayMs: 1, lossPercent: 0 });
    await lab.cut();
    await lab.heal();
    await lab.readdress();
    for (const host of ["client", "relay"] as const) {
      const routes = lab.exec(host, ["ip", "route", "get", host === "client" ? "10.77.0.1" : "10.77.0.3"]);
      assert.match(await outputOf(routes), /congctl cubic/);
    }
  });

  it("leaves nothing behind", async () => {
    const lab = await makeLab({ delayMs: 1, lossPercent: 0 });
    const { pid } = lab.exec("user", ["sleep", "1000"]);
    assert.ok(existsSync(`/proc/${pid}`));
    await Promise.all([lab.close(), lab.close()]);
    assert.ok(!existsSync(`/proc/${pid}`));
    assert.throws(() => lab.exec("user", ["true"]), /closed/);
    const stop = new AbortController();
    stop.abort(new Error("Never mind"));
    await assert.rejects(createNetlab({ delayMs: 1, lossPercent: 0 }, stop), /Never mind/);
  });

  it("is gone with its process, also when that is killed outright", async () => {
    const code = `
      const { createNetlab } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../testing/src/netlab/index.ts")))});
      const lab = await createNetlab({ delayMs: 1, lossPercent: 0 });
      console.log(JSON.stringify({ pid: lab.exec("user", ["sleep", "1000"]).pid }));`;
    const argv = ["--conditions=source", "--input-type=module", "--eval", code];
    const maker = watchProgram(spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] }));
    scope.defer(() => void maker.child.kill("SIGKILL"));
    const pid = await maker.when("a program in the lab", ([entry]) => entry?.["pid"] as number | undefined);
    await until(() => readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n", "the program to run");
    maker.child.kill("SIGKILL");
    await until(() => !existsSync(`/proc/${pid}`), "the program to end");
  });
});

interface Answer extends Entry {
  readonly arrived: readonly number[];
  readonly sentMs: number;
  readonly roundTripMs: number;
}

function ask(lab: Netlab, count: number): Promise<Answer> {
  const sender = probe(lab, "client", "send", "10.77.0.1", String(count));
  return sender.when("the answer", (entries) => entries[0] as Answer | undefined);
}

function probe(lab: Netlab, host: Host, ...args: string[]): Program {
  const argv = [process.execPath, join(import.meta.dirname, "../../testing/src/netlab/probe.ts"), ...args];
  return watchProgram(lab.exec(host, argv, { stdio: ["ignore", "pipe", "pipe"] }));
}

async function outputOf(child: ReturnType<Netlab["exec"]>): Promise<string> {
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (output += text));
  await soon(new Promise((resolve) => child.on("close", resolve)), "the end of a command");
  return output;
}
