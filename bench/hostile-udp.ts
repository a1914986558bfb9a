import { constants, setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { processorMs } from "./process-time.ts";
import { start, waitForLine } from "./processes.ts";
import type { ShowRow } from "./row.ts";
import { withTwoClients, type TwoClients } from "./two-clients.ts";
import { visitsOf, type Visits } from "./visits.ts";

const kinds = {
  garbage: "random datagrams",
  initials: "strangers' handshakes",
  versions: "versions that nobody speaks",
} as const;
const perSecond = 50_000;
const seconds = 8;
/** The relay's figures of its QUIC process are those of a heartbeat, one a second. */
const beatsMs = 2_500;

/** What visitors over either transport notice of a flood of datagrams, and what the process that serves QUIC has to do for it. */
export async function benchHostileUdp(show: ShowRow): Promise<void> {
  for (const [kind, what] of Object.entries(kinds)) {
    await withTwoClients(async (world) => {
      // Whatever is slow only the first time.
      await visitors(world, 1);
      const calm = await visitors(world, seconds);
      await pause(beatsMs);
      const before = await engineOf(world);
      const flood = start("test/fixture/flood-program.ts", [
        String(world.apiPort),
        kind,
        String(perSecond),
        String(seconds),
      ]);
      // The attacker's processors are not the relay's.
      setPriority(flood.child.pid ?? 0, constants.priority.PRIORITY_LOW);
      await waitForLine(flood, (line) => line);
      const busyBefore = await processorMs(world.lanePid());
      const flooded = await visitors(world, seconds);
      const busyMs = (await processorMs(world.lanePid())) - busyBefore;
      await flood.stop();
      await pause(beatsMs);
      const after = await engineOf(world);
      for (const [name, transport] of [
        ["HTTP/2", "http2"],
        ["QUIC", "quic"],
      ] as const) {
        const [quiet, loud] = [calm[transport], flooded[transport]];
        show({ name: `${what}: ${name}'s visitors, p99 when quiet`, value: quiet.p99, unit: "ms" });
        show({ name: "  the same in the flood", value: loud.p99 / quiet.p99, unit: "times", target: 2, atMost: true });
        show({ name: "  visitors who were not served", value: loud.failed, unit: "", target: 0, atMost: true });
      }
      show({ name: "  datagrams that were looked at", value: (after.seen - before.seen) / seconds, unit: "a second" });
      show({
        name: "  the lane's processor for them and its visitors",
        value: busyMs / (seconds * 10),
        unit: "% of a core",
      });
      const begun = after.begun - before.begun;
      show({ name: "  handshakes that the engine has begun", value: begun, unit: "", target: 0, atMost: true });
    });
  }
}

async function visitors(
  world: TwoClients,
  forSeconds: number,
): Promise<{ readonly http2: Visits; readonly quic: Visits }> {
  const [http2, quic] = await Promise.all([world.http2, world.quic].map((each) => visitsOf(each, forSeconds)));
  return { http2, quic } as { readonly http2: Visits; readonly quic: Visits };
}

async function engineOf({ figures }: TwoClients): Promise<{ readonly begun: number; readonly seen: number }> {
  let seen = 0;
  let begun = 0;
  for (const [name, value] of await figures()) {
    if (/^porthole_quic_(dropped|answered)_total/.test(name)) seen += value;
    if (name === "porthole_quic_handshakes_total") begun = value;
  }
  return { begun, seen };
}
