import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { until } from "@porthole/testing/end-to-end";
import type { ShowRow } from "./row.ts";
import { hasQuic, withTwoClients, type TwoClients } from "./two-clients.ts";
import { visit, visitsOf } from "./visits.ts";

const seconds = 8;
/** How long visitors are measured before the harm is done. */
const headStartMs = 1_000;
const backMs = 90_000;

interface Fault {
  readonly name: string;
  readonly signal: NodeJS.Signals;
  /** Each further start of the process ends at once, until it is over. */
  readonly crashes?: boolean;
}

const faults: readonly Fault[] = [
  { name: "killed", signal: "SIGKILL" },
  { name: "hung", signal: "SIGSTOP" },
  { name: "over its memory cap", signal: "SIGUSR2" },
  { name: "crashing at each start", signal: "SIGKILL", crashes: true },
];

/** What becomes of visitors over either transport when the process that serves QUIC comes to harm. */
export async function benchWorkerFaults(show: ShowRow): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "porthole-bench-"));
  try {
    for (const fault of faults) await measure(fault, folder, show);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure({ name, signal, crashes }: Fault, folder: string, show: ShowRow): Promise<void> {
  const broken = join(folder, "broken");
  const env = { NODE_OPTIONS: `--import=${await hook(folder, broken)}` };
  await withTwoClients(
    async (world) => {
      // Whatever is slow only the first time.
      await Promise.all([world.http2, world.quic].map((each) => visitsOf(each, 1)));
      const calm = await visitsOf(world.http2, seconds);
      const visiting = visitsOf(world.http2, seconds);
      await pause(headStartMs);
      const harmed = world.workerPid();
      if (crashes) await writeFile(broken, "");
      let sinceAt = performance.now();
      process.kill(harmed ?? 0, signal);
      const servedSeconds = await served(world, sinceAt);
      const after = await visiting;
      if (crashes) {
        await rm(broken);
        sinceAt = performance.now();
      }
      await until(async () => world.workerPid() !== harmed && (await hasQuic(world)), "QUIC is back", backMs);
      const backSeconds = (performance.now() - sinceAt) / 1_000;
      const what = `the QUIC worker is ${name}:`;
      show({ name: `${what} HTTP/2's visitors, p99 before`, value: calm.p99, unit: "ms" });
      show({
        name: "  the same in the seconds after",
        value: after.p99 / calm.p99,
        unit: "times",
        target: 2,
        atMost: true,
      });
      show({ name: "  HTTP/2's visitors who were not served", value: after.failed, unit: "", target: 0, atMost: true });
      show({ name: "  QUIC's visitors are served again", value: servedSeconds, unit: "s", target: 3, atMost: true });
      show({ name: `  QUIC is back${crashes ? ", once it can start" : ""}`, value: backSeconds, unit: "s" });
    },
    ["--quic-memory", "512"],
    env,
  );
}

/** A module that is loaded into the QUIC worker's process before its own program. */
async function hook(folder: string, broken: string): Promise<string> {
  const path = join(folder, "hook.mjs");
  const code = [
    `if (process.argv[1]?.includes("worker")) {`,
    `  process.on("SIGUSR2", () => { globalThis.hoard = Buffer.alloc(600 * 1024 * 1024, 1); });`,
    `  if ((await import("node:fs")).existsSync(${JSON.stringify(broken)})) process.exit(7);`,
    `}`,
  ];
  await writeFile(path, code.join("\n"));
  return pathToFileURL(path).href;
}

/** Seconds until a visitor has come and was answered. */
async function served(world: TwoClients, sinceAt: number): Promise<number> {
  for (;;) {
    try {
      await visit(world.quic);
      return (performance.now() - sinceAt) / 1_000;
    } catch {
      await pause(20);
    }
  }
}
