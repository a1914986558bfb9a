import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { skipUnless } from "../common/src/testing/skip.ts";
import { needQuic, useScope } from "./fixture/index.ts";
import { createNetlab, fileHash, netlabMissing, startLabTunnel, type LabTunnel, type Netlab } from "./netlab/index.ts";

type Transport = "auto" | "quic" | "h2";
type Prepare = (lab: Netlab) => Promise<void>;

/** From a lost packet to the next try it is seconds by then: both ends back off as long as nothing is answered. */
const afterHealingSeconds = 20;
/** A link that has gone silent is given up after 20 s at the latest; then there must be a new one. */
const afterSilenceSeconds = 30;
const longSeconds = 45;

describe("Bad networks", function () {
  this.timeout(90_000);
  const scope = useScope();

  before(function () {
    const missing = netlabMissing();
    skipUnless(this, missing === undefined, missing ?? "");
  });
  before(needQuic);

  it("UDP never comes through: HTTP/2 serves, and the state says why", async () => {
    const { lab, tunnel } = await startTunnel("auto", 0, (blocked) => blocked.udpBlackhole(true));
    assert.ok((await tunnel.visit(1_000, longSeconds)).ok);
    await tunnel.online("http2");
    await tunnel.status(
      "a reason that names the relay's UDP port",
      (now) => now.status === "online" && /UDP to 10\.77\.0\.1:4433 got no answer/.test(now.whyNotQuic ?? ""),
    );
    assert.ok((await lab.stats()).toRelay.blackholed > 0);
    await endInOrder(tunnel);
  });

  it("UDP stops coming through: visitors are served again, and who was in mid-download is told", async () => {
    const { lab, tunnel } = await startTunnel("auto", 0);
    await tunnel.online("quic");
    const { result } = await downloadUnderWay(lab, tunnel);
    await lab.udpBlackhole(true);
    await served(tunnel, afterSilenceSeconds);
    const { whole, gaveUp } = await result;
    assert.ok(whole || !gaveUp, "The download hung");
    assert.match((await tunnel.online("http2")).whyNotQuic ?? "", /silent|answer/);
    await endInOrder(tunnel);
  });

  it("the agent's cable is out for five seconds: downloads go on", async () => {
    await overEach(async (transport) => {
      const { lab, tunnel } = await startTunnel(transport, 0);
      const { result } = await downloadUnderWay(lab, tunnel);
      await lab.cut();
      await pause(5_000);
      await lab.heal();
      await served(tunnel, afterHealingSeconds);
      assert.ok((await result).whole);
      await endInOrder(tunnel);
    });
  });

  it("the agent moves to another address: visitors find it there, and over QUIC an upload goes on", async () => {
    await overEach(async (transport) => {
      const { lab, tunnel } = await startTunnel(transport, 0);
      const { urls } = await tunnel.online(transport === "quic" ? "quic" : "http2");
      const bytes = 20_000_000;
      const upload = tunnel.upload(bytes, longSeconds);
      await carried(lab, "toAgent", bytes / 20);
      await lab.readdress();
      await served(tunnel, afterSilenceSeconds);
      assert.deepEqual((await tunnel.online(transport === "quic" ? "quic" : "http2")).urls, urls);
      const { ok, sha256 } = await upload;
      if (transport === "quic" || ok) assert.equal(sha256, fileHash(bytes));
      await endInOrder(tunnel);
    });
  });

  it("one packet in a hundred is lost: what arrives is what was sent", async () => {
    await overEach(async (transport) => {
      const { lab, tunnel } = await startTunnel(transport, 1);
      const bytes = 3_000_000;
      assert.equal((await tunnel.visit(bytes, longSeconds)).sha256, fileHash(bytes));
      assert.ok((await lab.stats()).toRelay.lost > 0);
      await endInOrder(tunnel);
    });
  });

  async function startTunnel(
    transport: Transport,
    lossPercent: number,
    prepare?: Prepare,
  ): Promise<{ readonly lab: Netlab; readonly tunnel: LabTunnel }> {
    const folder = await scope.folder();
    const lab = await createNetlab({ delayMs: 10, lossPercent });
    scope.defer(() => lab.close());
    await prepare?.(lab);
    return { lab, tunnel: await startLabTunnel(lab, { transport, folder }) };
  }
});

/** Side by side, each on hosts of its own: most of the time they wait. */
async function overEach(work: (transport: "quic" | "h2") => Promise<void>): Promise<void> {
  await Promise.all([work("quic"), work("h2")]);
}

/** One visitor after the other until one is served. */
async function served(tunnel: LabTunnel, withinSeconds: number): Promise<void> {
  const giveUpAt = performance.now() + withinSeconds * 1_000;
  for (;;) {
    const { ok, exitCode } = await tunnel.visit(1_000, 2);
    if (ok) return;
    assert.ok(performance.now() < giveUpAt, `Nobody was served in ${withinSeconds} s; curl ends with ${exitCode}`);
  }
}

interface Download {
  readonly result: Promise<{ readonly whole: boolean; readonly gaveUp: boolean }>;
}

/** Resolves when a part has arrived. */
async function downloadUnderWay(lab: Netlab, tunnel: LabTunnel): Promise<Download> {
  const bytes = 40_000_000;
  const curlTimedOut = 28;
  const result = tunnel.visit(bytes, longSeconds).then(({ ok, sha256, exitCode }) => ({
    whole: ok && sha256 === fileHash(bytes),
    gaveUp: exitCode === curlTimedOut,
  }));
  await carried(lab, "toRelay", bytes / 40);
  return { result };
}

/** Resolves when the wire has carried so much. */
async function carried(lab: Netlab, direction: "toRelay" | "toAgent", bytes: number): Promise<void> {
  const giveUpAt = performance.now() + 10_000;
  while ((await lab.stats())[direction].carriedBytes < bytes) {
    assert.ok(performance.now() < giveUpAt, `Less than ${bytes} bytes were carried`);
    await pause(10);
  }
}

/** A program that the network has confused would not end, or with an error. */
async function endInOrder({ client, relay }: LabTunnel): Promise<void> {
  assert.equal(await client.stop(), 0);
  assert.equal(await relay.stop(), 0);
}
