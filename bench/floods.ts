import { readFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { compare, ratioOf } from "./flood-comparison.ts";
import { canPin, pin, processors } from "./pinning.ts";
import { start, waitForLine, withRelay, type Running } from "./processes.ts";
import type { ShowRow } from "./row.ts";
import { visitsOf } from "./visits.ts";

/** What can be thrown at a relay, and how it is called. */
const kinds = {
  connections: "connections that are closed at once",
  handshakes: "clients' handshakes that are left half open",
  hellos: "visitors who send a byte of their hello a second",
  control: "an admitted client's control messages",
  streams: "visitors of another name, who stay",
  aborts: "visitors of another name, who leave in mid-download",
} as const;
/** A process keeps what it once needed; what counts is what comes on top of that the second time. */
const warmUpMs = 3_000;
/** Everything that a stranger left behind has to be gone by then. */
const settleMs = 11_000;

/** Limits as with a public name: without them this machine alone is not limited. */
const limits = [
  ...["--visitors-per-address", "50", "--streams-per-address", "500", "--visitors-per-name", "500"],
  ...["--links-per-address", "1000"],
  ...["--pending-clients", "10:30:100", "--max-penalty", "10m", "--admin-port", "0"],
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
        const flood = async (where: string = processors.all): Promise<Running> => {
          const flooder = start("testing/src/end-to-end/flooder.ts", [
            kind,
            String(ports.api),
            String(ports.public),
            attacked,
          ]);
          giveWay(flooder);
          if (where !== processors.all) pin(flooder.child.pid, where);
          await waitForLine(flooder, (line) => line);
          return flooder;
        };
        const first = await flood();
        await visitsOf(target, warmUpMs / 1_000);
        await first.stop();
        await pause(settleMs);
        const before = await residentMebibytes(relay.child.pid);
        const together = await compare({ relay, ports, target, flood });
        await pause(settleMs);
        const after = await residentMebibytes(relay.child.pid);
        const name = `${kind}: `;
        show({ name: `${name}p99 of another tenant when quiet (${what})`, value: together.calm.p99, unit: "ms" });
        show({ name: `${name}the same in the flood, times`, ...ratioOf(together) });
        show({
          name: `${name}requests of that tenant that failed`,
          value: together.busy.failed,
          unit: "",
          target: 0,
          atMost: true,
        });
        show({ name: `${name}the relay's processor in the flood`, value: together.relayPercent, unit: "% of a core" });
        if (together.relayMicroseconds !== undefined)
          show({ name: `${name}the same for a connection of it`, value: together.relayMicroseconds, unit: "us" });
        show({ name: `${name}the relay's memory, afterwards more than before`, value: after - before, unit: "MiB" });
        if (!canPin()) return;
        const [quietPrograms, attackedPrograms] = [programs.slice(0, own), programs.slice(own)];
        for (const { child } of [relay, ...quietPrograms]) pin(child.pid, processors.others);
        for (const { child } of attackedPrograms) pin(child.pid, processors.last);
        pin(process.pid, processors.others);
        const apart = await compare({ relay, ports, target, flood: () => flood(processors.last) });
        const alone = `${kind}, on a processor of its own: `;
        show({ name: `${alone}p99 of another tenant when quiet`, value: apart.calm.p99, unit: "ms" });
        show({ name: `${alone}the same in the flood, times`, ...ratioOf(apart) });
      } finally {
        if (canPin()) pin(process.pid, processors.all);
        for (const program of programs.toReversed()) await program.stop();
      }
    }, limits);
  }
}

/** The processors of the attacker and of the attacked are not the relay's, so they take what it leaves; see README.md. */
function giveWay({ child }: Running): void {
  setPriority(child.pid ?? 0, constants.priority.PRIORITY_LOW);
}

async function residentMebibytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
}
