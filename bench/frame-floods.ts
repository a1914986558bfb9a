import { constants, setPriority } from "node:os";
import { median } from "./median.ts";
import { processorMs } from "./process-time.ts";
import { start, waitForLine } from "./processes.ts";
import type { ShowRow } from "./row.ts";
import { withTwoClients, type TwoClients } from "./two-clients.ts";
import { visitsOf, type Visits } from "./visits.ts";

const frames = (process.env["PORTHOLE_BENCH_FRAMES"] ?? "WINDOW_UPDATE,ORIGIN,ALTSVC,PRIORITY,SETTINGS,PING").split(
  ",",
);
const handshakes = "QUIC handshakes";
const seconds = 4;
const rounds = 3;

interface Round {
  readonly calm: Visits;
  readonly flooded: Visits;
}

/** What another tenant's visitors notice of an admitted client that floods the relay with frames, or with real QUIC handshakes. */
export async function benchFrameFloods(show: ShowRow): Promise<void> {
  await withTwoClients(
    async (world) => {
      await visitsOf(world.http2, 1);
      for (const kind of [...frames, ...(process.env["PORTHOLE_BENCH_FRAMES"] === undefined ? [handshakes] : [])]) {
        const all: Round[] = [];
        for (let round = 0; round < rounds; round++) all.push(await measure(world, kind));
        const p99 = median(all.map(({ calm }) => calm.p99));
        const times = median(all.map(({ calm, flooded }) => flooded.p99 / calm.p99));
        const failed = all.reduce((sum, { flooded }) => sum + flooded.failed, 0);
        show({ name: `${kind}: p99 of another tenant when quiet`, value: p99, unit: "ms" });
        show({ name: "  the same in the flood", value: times, unit: "times", target: 2, atMost: true });
        show({ name: "  visitors that were not served", value: failed, unit: "", target: 0, atMost: true });
        if (kind === handshakes)
          show({ name: "  the QUIC worker's processor", value: await busyPercent(world, kind), unit: "% of a core" });
      }
    },
    // As with a public name: on loopback one address may do what it likes.
    ["--quic-admission=open", "--pending-clients", "10:30:100", "--max-penalty", "10m"],
  );
}

async function measure(world: TwoClients, kind: string): Promise<Round> {
  const calm = await visitsOf(world.http2, seconds);
  return inFlood(world, kind, async () => ({ calm, flooded: await visitsOf(world.http2, seconds) }));
}

async function busyPercent(world: TwoClients, kind: string): Promise<number> {
  return inFlood(world, kind, async () => {
    const before = await processorMs(world.workerPid());
    await visitsOf(world.http2, seconds);
    return ((await processorMs(world.workerPid())) - before) / seconds / 10;
  });
}

async function inFlood<T>(world: TwoClients, kind: string, work: () => Promise<T>): Promise<T> {
  const flooder = start("bench/frame-flooder.ts", [kind, String(world.apiPort)]);
  try {
    // The attacker's processor is not the relay's, so it takes what the relay leaves; see README.md.
    setPriority(flooder.child.pid ?? 0, constants.priority.PRIORITY_LOW);
    await waitForLine(flooder, (line) => (line === "flooding" ? line : undefined));
    return await work();
  } finally {
    flooder.child.kill("SIGKILL");
    await flooder.stop();
  }
}
