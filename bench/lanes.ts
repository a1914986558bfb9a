import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Carrier } from "@porthole/common/link";
import { benchDispatch } from "./dispatch.ts";
import { openLane, relayIdentity, type RunningLane } from "./lane-process.ts";
import type { LanePeerOrder } from "./lane-peer.ts";
import type { Identity } from "./quic-engine-ends.ts";
import { benchSharedPort } from "./shared-port.ts";
import type { ShowRow } from "./row.ts";

const handshakes = 600;
const seconds = 5;
const atOnce = 32;
const request = Buffer.alloc(200, "r");
const answerBytes = 1_000;

/**
 * What the one process that serves QUIC can do with a core of its own (bytes: section quic-lane), and what stands in the way of several:
 * what it costs to hand datagrams on, and where the kernel sends them when processes share the port.
 */
export async function benchLanes(show: ShowRow): Promise<void> {
  await withPeer("handshakes", async (lane, peer) => {
    void takeAll(lane);
    await once(peer, "message");
    return handshakes;
  }).then((did) => did("a core of the lane: handshakes", show));
  await withPeer("answers", async (lane) => visitors(await lane.next(), true)).then((did) =>
    did("a core of the lane: visitors with one request each", show),
  );
  await withPeer("answers", async (lane) => visitors(await lane.next(), false)).then((did) =>
    did("a core of the lane: requests of visitors who stay", show),
  );
  await benchDispatch(show);
  await benchSharedPort(show);
}

/** Answers how to show what was done in a second of the lane's processor, and of our own, which is the relay's. */
async function withPeer(
  kind: LanePeerOrder["kind"],
  work: (lane: RunningLane, peer: ChildProcess) => Promise<number>,
): Promise<(name: string, show: ShowRow) => void> {
  const identity: Identity = relayIdentity();
  const lane = await openLane(identity);
  const peer = fork(fileURLToPath(new URL("./lane-peer.ts", import.meta.url)), {
    execArgv: ["--conditions=source"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const exited = once(peer, "exit");
  try {
    const [laneBefore, ownBefore] = [await lane.processorMs(), process.cpuUsage()];
    peer.send({ kind, port: lane.port, count: handshakes, ...identity });
    const done = await work(lane, peer);
    const { user, system } = process.cpuUsage(ownBefore);
    const laneMs = (await lane.processorMs()) - laneBefore;
    return (name, show) => {
      show({ name, value: done / (laneMs / 1_000), unit: "a second" });
      show({
        name: "  the relay's own process needs for them, of that",
        value: (user + system) / 1_000 / laneMs,
        unit: "ratio",
      });
    };
  } finally {
    peer.kill();
    await exited;
    await lane.close();
  }
}

async function takeAll(lane: RunningLane): Promise<void> {
  for (let i = 0; i < handshakes; i++) await lane.next();
}

/** So many at once; each leaves after one answer, or stays. Answers how many requests were answered. */
async function visitors(carrier: Carrier, leave: boolean): Promise<number> {
  const endAt = performance.now() + seconds * 1_000;
  let answered = 0;
  const visitor = async (): Promise<void> => {
    while (performance.now() < endAt) {
      const stream = carrier.openStream();
      let missing = answerBytes;
      stream.write(request);
      stream.on("data", (chunk: Buffer) => {
        missing -= chunk.length;
        if (missing > 0) return;
        answered += 1;
        missing = answerBytes;
        if (leave || performance.now() >= endAt) stream.end();
        else stream.write(request);
      });
      await once(stream, "close");
    }
  };
  await Promise.all(Array.from({ length: atOnce }, visitor));
  return answered;
}
