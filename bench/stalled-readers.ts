import { stalledReaders } from "../test/netlab/index.ts";
import { mayUseLab, withLabTunnel } from "./lab.ts";
import type { ShowRow } from "./row.ts";

const readers = 200;

/** What it costs to serve visitors who ask for a gigabyte each and don't read it. */
export async function benchStalledReaders(show: ShowRow): Promise<void> {
  if (!mayUseLab()) return;
  for (const [name, transport] of [
    ["QUIC", "quic"],
    ["HTTP/2", "h2"],
  ] as const) {
    const { p95, grownBytes, errors } = await withLabTunnel({ delayMs: 1, lossPercent: 0, transport }, (tunnel) =>
      stalledReaders(tunnel, readers),
    );
    const what = `${readers} readers of 1 GB who read nothing: ${name}`;
    for (const [program, bytes] of Object.entries(grownBytes))
      show({ name: `${what}: memory, ${program}`, value: bytes / 1024 / 1024, unit: "MiB" });
    show({ name: `${what}: small requests of others, p95 alone`, value: p95.alone, unit: "ms" });
    show({
      name: `${what}: the same beside them`,
      value: p95.beside / p95.alone,
      unit: "times",
      target: 2,
      atMost: true,
    });
    for (const error of errors.slice(0, 3)) process.stderr.write(`${error}\n`);
  }
}
