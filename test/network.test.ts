import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { skipUnless } from "../common/src/testing/skip.ts";
import { needQuic, useScope } from "./fixture/index.ts";
import {
  createNetlab,
  fileHash,
  netlabMissing,
  startLabTunnel,
  type LabTunnel,
  type Netlab,
  type NetlabOptions,
} from "./netlab/index.ts";

const calm: NetlabOptions = { delayMs: 10, lossPercent: 0 };

describe("Bad networks", function () {
  this.timeout(60_000);
  const scope = useScope();

  before(function () {
    const missing = netlabMissing();
    skipUnless(this, missing === undefined, missing ?? "");
  });
  before(needQuic);

  it("UDP that never comes through: HTTP/2 serves, and the state says why", async () => {
    const { lab, tunnel } = await makeTunnel(calm, "auto", async (lab) => lab.udpBlackhole(true));
    assert.ok((await tunnel.visit(1_000, 5)).ok);
    await tunnel.online("http2");
    await tunnel.status("a reason that names the relay's UDP port", (now) =>
      /UDP 10\.77\.0\.1:4433/.test(now.status === "online" ? (now.whyNotQuic ?? "") : ""),
    );
    assert.ok((await lab.stats()).toRelay.blackholed > 0);
    await endInOrder(tunnel);
  });

  it("UDP that stops coming through: visitors are served again", async () => {
    const { lab, tunnel } = await makeTunnel(calm, "auto");
    await tunnel.online("quic");
    await lab.udpBlackhole(true);
    await servedWithin(25, tunnel);
    await tunnel.online("http2");
    await endInOrder(tunnel);
  });

  for (const transport of ["quic", "h2"] as const) {
    it(`the agent's cable is out for five seconds, over ${transport}`, async () => {
      const { lab, tunnel } = await makeTunnel(calm, transport);
      const download = tunnel.visit(40_000_000, 30);
      await lab.cut();
      await pause(5_000);
      await lab.heal();
      await servedWithin(15, tunnel);
      console.log(await download);
      await endInOrder(tunnel);
    });
    it(`the agent gets another address, over ${transport}`, async () => {
      const { lab, tunnel } = await makeTunnel(calm, transport);
      await lab.readdress();
      await servedWithin(40, tunnel);
      await endInOrder(tunnel);
    });
    it(`downloads whole with one packet lost in a hundred, over ${transport}`, async () => {
      const { tunnel } = await makeTunnel({ ...calm, lossPercent: 1 }, transport);
      const bytes = 3_000_000;
      const { ok, sha256, seconds } = await tunnel.visit(bytes, 40);
      console.log(seconds);
      assert.ok(ok);
      assert.equal(sha256, fileHash(bytes));
      await endInOrder(tunnel);
    });
  }

  async function makeTunnel(
    options: NetlabOptions,
    transport: "auto" | "quic" | "h2",
    prepare?: (lab: Netlab) => Promise<void>,
  ): Promise<{ readonly lab: Netlab; readonly tunnel: LabTunnel }> {
    const folder = await scope.folder();
    const lab = await createNetlab(options);
    scope.defer(() => lab.close());
    await prepare?.(lab);
    return { lab, tunnel: await startLabTunnel(lab, { transport, folder }) };
  }
});

/** One visitor after the other until one is served. */
async function servedWithin(seconds: number, tunnel: LabTunnel): Promise<void> {
  const startedAt = performance.now();
  for (let last = ""; ; ) {
    const visit = await tunnel.visit(1_000, 2);
    const passed = (performance.now() - startedAt) / 1_000;
    if (visit.ok) { console.log("served after", passed); return; }
    last = `curl's status ${visit.exitCode}`;
    if (passed > seconds) throw new Error(`No visitor was served within ${seconds} s; the last one: ${last}`);
  }
}

/** A program that the network has confused would not end, or with an error. */
async function endInOrder({ client, relay }: LabTunnel): Promise<void> {
  assert.equal(await client.stop(), 0);
  assert.equal(await relay.stop(), 0);
}
