import { constants, setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { PortholeError } from "@porthole/common/errors";
import { admitted, dialHttp2Unchecked } from "./client.ts";
import { median } from "./median.ts";
import { processorMs } from "./process-time.ts";
import { start, waitForLine } from "./processes.ts";
import type { ShowRow } from "./row.ts";
import { withTwoClients, type TwoClients } from "./two-clients.ts";
import { visitsOf, type Visits } from "./visits.ts";

const kinds = {
  garbage: "random datagrams",
  initials: "strangers' handshakes",
  tickets: "handshakes of one that has a ticket",
  versions: "versions that nobody speaks",
} as const;
const perSecond = 50_000;
const seconds = 5;
const rounds = 5;
/** The relay's figures of its QUIC process are those of a heartbeat, one a second. */
const beatsMs = 2_500;
const transports = { http2: "HTTP/2", quic: "QUIC" } as const;

type Both = Readonly<Record<keyof typeof transports, Visits>>;

interface Round {
  readonly calm: Both;
  readonly flooded: Both;
  readonly workerMs: number;
}

/**
 * What visitors over either transport notice of a flood of datagrams, and what the process that serves QUIC has to do for it.
 * With and without it in turn; of the rounds' ratios the one in the middle.
 */
export async function benchHostileUdp(show: ShowRow): Promise<void> {
  for (const [kind, what] of Object.entries(kinds)) {
    await withTwoClients(async (world) => {
      // Whatever is slow only the first time.
      await visitors(world, 1);
      const before = await engineOf(world);
      const all: Round[] = [];
      for (let round = 0; round < rounds; round++) all.push(await measure(world, kind));
      await pause(beatsMs);
      const after = await engineOf(world);
      for (const [transport, name] of Object.entries(transports) as [keyof Both, string][]) {
        const p99 = median(all.map(({ calm }) => calm[transport].p99));
        const times = median(all.map(({ calm, flooded }) => flooded[transport].p99 / calm[transport].p99));
        const failed = all.reduce((sum, { flooded }) => sum + flooded[transport].failed, 0);
        show({ name: `${what}: ${name}'s visitors, p99 when quiet`, value: p99, unit: "ms" });
        show({ name: "  the same in the flood", value: times, unit: "times", target: 2, atMost: true });
        show({ name: "  visitors who were not served", value: failed, unit: "", target: 0, atMost: true });
      }
      const workerMs = median(all.map((round) => round.workerMs));
      show({
        name: "  datagrams that were looked at",
        value: (after.seen - before.seen) / rounds / seconds,
        unit: "a second",
      });
      show({
        name: "  the QUIC worker's processor for them and its visitors",
        value: workerMs / (seconds * 10),
        unit: "% of a core",
      });
      const begun = after.begun - before.begun;
      show({ name: "  handshakes that the engine has begun", value: begun, unit: "", target: 0, atMost: true });
    });
  }
}

async function measure(world: TwoClients, kind: string): Promise<Round> {
  const calm = await visitors(world, seconds);
  const args = [String(world.apiPort), kind, String(perSecond), String(seconds), await ticket(world)];
  const flood = start("testing/src/end-to-end/flood-program.ts", args);
  // The attacker's processors are not the relay's.
  setPriority(flood.child.pid ?? 0, constants.priority.PRIORITY_LOW);
  await waitForLine(flood, (line) => line);
  const workerBefore = await processorMs(world.workerPid());
  const flooded = await visitors(world, seconds);
  const workerMs = (await processorMs(world.workerPid())) - workerBefore;
  await flood.stop();
  return { calm, flooded, workerMs };
}

async function ticket({ apiPort }: TwoClients): Promise<string> {
  const { link, welcome } = await admitted(await dialHttp2Unchecked(apiPort, AbortSignal.timeout(10_000)));
  await link.close(new PortholeError("closed", "It has what it wants"));
  return welcome.ticket?.quic ?? "";
}

async function visitors({ http2, quic }: TwoClients, forSeconds: number): Promise<Both> {
  const [overHttp2, overQuic] = await Promise.all([visitsOf(http2, forSeconds), visitsOf(quic, forSeconds)]);
  return { http2: overHttp2, quic: overQuic };
}

async function engineOf({ figures }: TwoClients): Promise<{ readonly begun: number; readonly seen: number }> {
  let [seen, begun] = [0, 0];
  for (const [name, value] of await figures()) {
    if (/^porthole_quic_(dropped|answered)_total/.test(name)) seen += value;
    if (name === "porthole_quic_handshakes_total") begun = value;
  }
  return { begun, seen };
}
