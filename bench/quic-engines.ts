import { readFile } from "node:fs/promises";
import { download, keptAlive, newConnections, type Target } from "./load.ts";
import { start, waitForLine, withRelay, type Running } from "./processes.ts";
import { processorMs } from "./process-time.ts";
import type { ShowRow } from "./row.ts";

const kinds = ["quiche", "native", "h2"] as const;
const rounds = 2;
const downloadBytes = 250_000_000;
const seconds = 4;
const connections = 32;

/** The whole path over each QUIC engine, and over HTTP/2, in turn: what it carries, and what a megabyte, a request or a visitor costs. Best of two rounds. */
export async function benchQuicEngines(show: ShowRow): Promise<void> {
  const best = new Map<string, { readonly value: number; readonly unit: string }>();
  const note = (name: string, value: number, unit: string): void => {
    const before = best.get(name)?.value;
    const isBetter = before === undefined || (unit === "ms" ? value < before : value > before);
    if (isBetter) best.set(name, { value, unit });
  };
  for (let round = 0; round < rounds; round++) for (const kind of kinds) await measure(kind, note);
  for (const [name, { value, unit }] of best) show({ name, value, unit });
}

async function measure(
  kind: (typeof kinds)[number],
  note: (name: string, value: number, unit: string) => void,
): Promise<void> {
  const engine = kind === "h2" ? [] : ["--quic-engine", kind];
  await withRelay(async (relay, ports, stateDir) => {
    const service = start("bench/service.ts", []);
    const local = await waitForLine(service, (line) => line);
    const client = start("client/src/main.ts", [
      ...[local, "--server", `127.0.0.1:${ports.api}`, "--transport", kind === "h2" ? "h2" : "quic"],
      ...[...engine, "--state-dir", `${stateDir}/client`],
    ]);
    try {
      let name = "";
      await waitForLine(client, (line) => {
        name ||= /^URL: https:\/\/([^:]+)/.exec(line)?.[1] ?? "";
        return line.startsWith("online") ? line : undefined;
      });
      const tunnel: Target = { port: ports.public, name };
      await download(tunnel, downloadBytes / 10);
      const cost = async (what: string, work: () => Promise<number>): Promise<number> => {
        const before = [await treeMs(relay), await treeMs(client)];
        const startedAt = performance.now();
        const value = await work();
        const spent = (performance.now() - startedAt) / 1_000;
        const [ofRelay = 0, ofClient = 0] = [await treeMs(relay), await treeMs(client)].map(
          (ms, at) => ms - (before[at] ?? 0),
        );
        const amount = what === "one download" ? downloadBytes / 1e6 : value * spent;
        note(`${kind}: ${what}, the relay's processor time`, ofRelay / amount, "ms");
        note(`${kind}: ${what}, the client's processor time`, ofClient / amount, "ms");
        return value;
      };
      const megabytes = await cost("one download", () => download(tunnel, downloadBytes));
      note(`${kind}: one download`, megabytes, "MB/s");
      const requests = await cost("a small request", () => keptAlive(tunnel, connections, seconds));
      note(`${kind}: small requests`, requests, "requests/s");
      const visitors = await cost("a new visitor", () => newConnections(tunnel, connections, seconds));
      note(`${kind}: new visitors`, visitors, "connections/s");
    } finally {
      await client.stop();
      await service.stop();
    }
  }, engine);
}

/** The processor time of a process and of its children. */
async function treeMs({ child }: Running): Promise<number> {
  const { pid } = child;
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).split(" ").filter(Boolean);
  const each = await Promise.all([pid, ...children.map(Number)].map((one) => processorMs(one)));
  return each.reduce((sum, ms) => sum + ms, 0);
}
