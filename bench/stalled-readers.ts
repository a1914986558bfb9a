import { stalledReaders, type StalledReaders } from "@porthole/testing/netlab";
import { mayUseLab, withLabTunnel } from "./lab.ts";
import { median } from "./median.ts";
import type { ShowRow } from "./row.ts";

const readers = 200;
const rounds = 3;

/**
 * What it costs to serve visitors who ask for a gigabyte each and don't read it. Others without them and beside them, in turn; of the
 * rounds' ratios the one in the middle, and of what the processes grow by the most.
 */
export async function benchStalledReaders(show: ShowRow): Promise<void> {
  if (!mayUseLab()) return;
  for (const [name, transport] of [
    ["QUIC", "quic"],
    ["HTTP/2", "h2"],
  ] as const) {
    const all = await withLabTunnel({ delayMs: 1, lossPercent: 0, transport }, async (tunnel) => {
      const all: StalledReaders[] = [];
      for (let round = 0; round < rounds; round++) all.push(await stalledReaders(tunnel, readers));
      return all;
    });
    const what = `${readers} readers of 1 GB who read nothing: ${name}`;
    for (const program of ["relay", "worker", "client"] as const) {
      const most = Math.max(...all.map(({ grownBytes }) => grownBytes[program]));
      show({ name: `${what}: memory, ${program}`, value: most / 1024 / 1024, unit: "MiB" });
    }
    const alone = median(all.map(({ p95 }) => p95.alone));
    const times = median(all.map(({ p95 }) => p95.beside / p95.alone));
    show({ name: `${what}: small requests of others, p95 alone`, value: alone, unit: "ms" });
    show({ name: `${what}: the same beside them`, value: times, unit: "times", target: 2, atMost: true });
    for (const error of all.flatMap(({ errors }) => errors).slice(0, 3)) process.stderr.write(`${error}\n`);
  }
}
