import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createInterface } from "node:readline";
import { freePort } from "@porthole/testing";
import { buildPrograms } from "@porthole/testing/built-programs";
import { start, waitForLine, type Running } from "./processes.ts";
import type { ShowRow } from "./row.ts";

const clients = Number(process.env["PORTHOLE_BENCH_CLIENTS"] ?? 1_000);
const processes = 4;
/** How long the relay is away. */
const absences = (process.env["PORTHOLE_BENCH_ABSENCES"] ?? "0,30,300").split(",").map(Number);
const deadlineMs = 600_000;

/** When a crowd of clients is back after a relay was killed and started again. */
export async function benchReturn(show: ShowRow): Promise<void> {
  await buildPrograms();
  const folder = await mkdtemp(join(tmpdir(), "porthole-bench-return-"));
  const [api, visitors] = [await freePort(), await freePort()];
  const startRelay = async (): Promise<Running> => {
    const ports = ["--api-port", `${api}`, "--pub-port", `${visitors}`];
    // As with a public name: on loopback one address may do what it likes.
    const gates = ["--pending-clients", "10:30:100", "--links-per-address", "0"];
    const relay = start("dist/porthole-relay.mjs", [
      ...ports,
      ...gates,
      "--json",
      "--state-dir",
      join(folder, "relay"),
    ]);
    await waitForLine(relay, (line) => line.includes("Relay is ready") || undefined);
    return relay;
  };
  let relay = await startRelay();
  const crowds: Running[] = [];
  const up = new Map<Running, number>();
  const sum = (): number => [...up.values()].reduce((total, each) => total + each, 0);
  try {
    for (let index = 0; index < processes; index++) {
      const crowd = start("bench/crowd-clients.ts", [`${clients / processes}`, `${api}`, join(folder, `${index}`)]);
      crowds.push(crowd);
      createInterface({ input: crowd.child.stdout ?? process.stdin }).on("line", (line) => {
        up.set(crowd, Number(line.slice("up ".length)));
      });
    }
    await until(() => sum() === clients);
    for (const seconds of absences) {
      await pause(5_000);
      relay.child.kill("SIGKILL");
      await relay.stop();
      await until(() => sum() === 0);
      await pause(seconds * 1_000);
      const startedAt = performance.now();
      relay = await startRelay();
      const secondsUntil = async (part: number): Promise<number> => {
        await until(() => sum() >= part * clients);
        return (performance.now() - startedAt) / 1_000;
      };
      const what = `${clients} clients, relay away for ${seconds} s:`;
      show({ name: `${what} 95 % are back`, value: await secondsUntil(0.95), unit: "s", target: 10, atMost: true });
      show({ name: `${what} all are back`, value: await secondsUntil(1), unit: "s" });
    }
  } finally {
    for (const crowd of crowds) await crowd.stop();
    await relay.stop();
    await rm(folder, { recursive: true });
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + deadlineMs;
  while (!isSo()) {
    if (performance.now() > giveUpAt) throw new Error(`Not within ${deadlineMs / 1_000} s`);
    await pause(20);
  }
}
