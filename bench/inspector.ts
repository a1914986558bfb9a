import { readFileSync } from "node:fs";
import { start, waitForLine, withRelay, type RelayPorts, type Running } from "./processes.ts";
import { median } from "./median.ts";
import { keptAlive, type Target } from "./load.ts";
import type { ShowRow } from "./row.ts";

const seconds = 3;
const connections = 32;
const rounds = 7;

/** Requests a second through a client that keeps them for `porthole inspect`, against one that does not, and one that could but is paused. */
export async function benchInspector(show: ShowRow): Promise<void> {
  await withRelay(async (_relay, ports, stateDir) => {
    const service = start("bench/service.ts", []);
    const started: Running[] = [service];
    try {
      const servicePort = Number(await waitForLine(service, (line) => line));
      const client = async (name: string, args: readonly string[]): Promise<Client> => {
        const folder = `${stateDir}/${name}`;
        const running = start("client/src/main.ts", [
          ...[`http://127.0.0.1:${servicePort}`, "--server", `127.0.0.1:${ports.api}`, "--force-h2"],
          ...["--state-dir", folder, ...args],
        ]);
        started.push(running);
        return { target: await online(running, ports), pid: running.child.pid ?? 0 };
      };
      const without = await client("without", ["--no-inspect"]);
      const on = await client("on", []);
      const paused = await client("paused", []);
      const pause = start("client/src/main.ts", ["inspect", "pause", "--state-dir", `${stateDir}/paused`]);
      await waitForLine(pause, (line) => (line.startsWith("Paused") ? line : undefined));
      await measure({ without, on, paused }, show);
    } finally {
      for (const running of started.toReversed()) await running.stop();
    }
  });
}

interface Client {
  readonly target: Target;
  readonly pid: number;
}

interface Rate {
  readonly requestsPerSecond: number;
  /** The processor time of the client's process. */
  readonly cpuMsPerRequest: number;
}

/** All three in turn, so that a noisy machine is noisy for all of them; of the ratios the one in the middle. */
async function measure(
  clients: { readonly without: Client; readonly on: Client; readonly paused: Client },
  show: ShowRow,
): Promise<void> {
  const ratios = { on: [] as number[], paused: [] as number[], cpu: [] as number[] };
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const without = await rateOf(clients.without);
    const on = await rateOf(clients.on);
    const paused = await rateOf(clients.paused);
    rates.push(on.requestsPerSecond);
    ratios.on.push(on.requestsPerSecond / without.requestsPerSecond);
    ratios.paused.push(paused.requestsPerSecond / without.requestsPerSecond);
    ratios.cpu.push(on.cpuMsPerRequest / without.cpuMsPerRequest);
  }
  show({ name: "Small requests through the gateway, kept for inspection", value: median(rates), unit: "requests/s" });
  show({
    name: "The same, as a part of those that are not kept",
    value: median(ratios.on),
    unit: "ratio",
    target: 0.9,
  });
  show({
    name: "The client's processor time for one that is kept",
    value: median(ratios.cpu),
    unit: "ratio",
    ...{ target: 1.1, atMost: true },
  });
  show({
    name: "Inspection paused, as a part of none at all",
    value: median(ratios.paused),
    unit: "ratio",
    target: 0.97,
  });
}

async function rateOf({ target, pid }: Client): Promise<Rate> {
  const before = cpuMsOf(pid);
  const requestsPerSecond = await keptAlive(target, connections, seconds);
  return { requestsPerSecond, cpuMsPerRequest: (cpuMsOf(pid) - before) / (requestsPerSecond * seconds) };
}

/** User and system time (proc(5), fields 14 and 15), in ticks of 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function online(client: Running, ports: RelayPorts): Promise<Target> {
  let name: string | undefined;
  await waitForLine(client, (line) => {
    name ??= /^URL: https:\/\/([^:]+)/.exec(line)?.[1];
    return line.startsWith("online") ? line : undefined;
  });
  return { port: ports.public, name: name ?? "" };
}
