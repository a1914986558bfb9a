import { readFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { processorMs } from "./process-time.ts";
import { start, waitForLine, withRelay, type Running } from "./processes.ts";
import type { ShowRow } from "./row.ts";
import { visitsOf } from "./visits.ts";

/** What can be thrown at a relay, and how it is called. */
const kinds = {
  connections: "connections that are closed at once",
  handshakes: "agents' handshakes that are left half open",
  hellos: "visitors who send a byte of their hello a second",
  control: "an admitted client's control messages",
  streams: "visitors of another name, who stay",
  aborts: "visitors of another name, who leave in mid-download",
} as const;
const seconds = 8;
/** A process keeps what it once needed; what counts is what comes on top of that the second time. */
const warmUpMs = 3_000;
/** Everything that a stranger left behind has to be gone by then. */
const settleMs = 11_000;

/** Limits as with a public name: without them this machine alone is not limited. */
const limits = [
  ...["--visitors-per-address", "50", "--links-per-address", "1000"],
  ...["--pending-agents", "10:30:100", "--max-penalty", "10m", "--admin-port", "0"],
];

/** How much another tenant's visitors notice, and what the relay holds afterwards. */
export async function benchFloods(show: ShowRow): Promise<void> {
  for (const [kind, what] of Object.entries(kinds)) {
    await withRelay(async (relay, ports, stateDir) => {
      const programs: Running[] = [];
      const tenant = async (label: string): Promise<string> => {
        const service = start("bench/service.ts", []);
        programs.push(service);
        const servicePort = await waitForLine(service, (line) => line);
        const client = start("client/src/main.ts", [
          ...[servicePort, "--server", `127.0.0.1:${ports.api}`, "--force-h2"],
          ...["--state-dir", `${stateDir}/${label}`, "--no-acme"],
        ]);
        programs.push(client);
        return waitForLine(client, (line) => /^URL: https:\/\/([^:]+)/.exec(line)?.[1]);
      };
      try {
        const quiet = await tenant("quiet");
        const own = programs.length;
        const attacked = await tenant("attacked");
        programs.slice(own).forEach(giveWay);
        const target = { port: ports.public, name: quiet };
        const flood = async (): Promise<Running> => {
          const flooder = start("test/fixture/flooder.ts", [kind, String(ports.api), String(ports.public), attacked]);
          giveWay(flooder);
          await waitForLine(flooder, (line) => line);
          return flooder;
        };
        const first = await flood();
        await visitsOf(target, warmUpMs / 1_000);
        await first.stop();
        await pause(settleMs);
        const before = await residentMebibytes(relay.child.pid);
        const calm = await visitsOf(target, seconds);
        const second = await flood();
        const relayBefore = await processorMs(relay.child.pid);
        const busy = await visitsOf(target, seconds);
        const relayMs = (await processorMs(relay.child.pid)) - relayBefore;
        await second.stop();
        await pause(settleMs);
        const after = await residentMebibytes(relay.child.pid);
        const name = `${kind}: `;
        show({ name: `${name}p99 of another tenant when quiet (${what})`, value: calm.p99, unit: "ms" });
        show({
          name: `${name}the same in the flood, times`,
          value: busy.p99 / calm.p99,
          unit: "times",
          target: 2,
          atMost: true,
        });
        show({
          name: `${name}requests of that tenant that failed`,
          value: busy.failed,
          unit: "",
          target: 0,
          atMost: true,
        });
        show({ name: `${name}the relay's processor in the flood`, value: relayMs / seconds / 10, unit: "% of a core" });
        show({ name: `${name}the relay's memory, afterwards more than before`, value: after - before, unit: "MiB" });
      } finally {
        for (const program of programs.toReversed()) await program.stop();
      }
    }, limits);
  }
}

/** The processors of the attacker and of the attacked are not the relay's. */
function giveWay({ child }: Running): void {
  setPriority(child.pid ?? 0, constants.priority.PRIORITY_LOW);
}

async function residentMebibytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
}
