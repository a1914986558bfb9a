import { mayUseLab, withLabTunnel } from "./lab.ts";
import type { ShowRow } from "./row.ts";

const lossPercents = [0, 0.1, 1, 3, 5];
/** The first seconds don't count: both transports begin slowly, and that takes round trips. */
const time = { warmUpSeconds: 3, seconds: 6 };

/** One download, and one upload, with client and relay so far apart and packets lost each way. HTTP/2 over TCP with CUBIC, whatever this machine's default. */
export async function benchThroughput(delayMs: number, show: ShowRow): Promise<void> {
  if (!mayUseLab()) return;
  for (const lossPercent of lossPercents) {
    for (const [name, transport] of [
      ["QUIC", "quic"],
      ["HTTP/2", "h2"],
    ] as const) {
      await withLabTunnel({ delayMs, lossPercent, transport }, async (tunnel) => {
        const down = await tunnel.crowd({ downloads: 1, ...time });
        const up = await tunnel.crowd({ uploads: 1, ...time });
        const what = `${delayMs} ms each way, ${lossPercent} % loss: ${name}`;
        show({ name: `${what}, download`, value: down.downloadBytesPerSecond / 1e6, unit: "MB/s" });
        show({ name: `${what}, upload`, value: up.uploadBytesPerSecond / 1e6, unit: "MB/s" });
      });
    }
  }
}
