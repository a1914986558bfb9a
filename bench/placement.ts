import { carried, type CrowdReport, type Netlab, type NetlabOptions } from "@porthole/testing/netlab";
import { mayUseLab, withLabTunnel } from "./lab.ts";
import type { ShowRow } from "./row.ts";

const visitors = { small: 7, downloads: 4, warmUpSeconds: 3, seconds: 6 };
const rounds = 2;
/** Of the downloads together, when the path changes: all of them have found their place by then. */
const underWayBytes = 4_000_000;

interface Path extends NetlabOptions {
  readonly name: string;
  /** Once the downloads are under way. */
  readonly later?: Partial<NetlabOptions>;
}

const paths: readonly Path[] = [
  { name: "1 ms, no loss", delayMs: 1, lossPercent: 0 },
  { name: "20 ms, no loss", delayMs: 20, lossPercent: 0 },
  { name: "20 ms, 50 Mbit/s", delayMs: 20, lossPercent: 0, rateMbit: 50 },
  { name: "20 ms, 1 % loss", delayMs: 20, lossPercent: 1 },
  { name: "20 ms, 1 % loss that comes later", delayMs: 20, lossPercent: 0, later: { lossPercent: 1 } },
];

/**
 * What could be had from leading visitors to the standby while QUIC is busy: seven ask for small things, four download. All over
 * QUIC, as the relay does it, against the downloads over the one HTTP/2 connection: led there by a relay that counts
 * (`placing-relay.ts`) and so knows without a mistake who they are, which is the most that any rule could achieve.
 */
export async function benchPlacement(show: ShowRow): Promise<void> {
  if (!mayUseLab()) return;
  for (const path of paths) {
    const quic = await measure(path, "relay/src/main.ts");
    const standby = await measure(path, "bench/placing-relay.ts", String(visitors.small));
    const rows = (what: string, unit: string, of: (report: CrowdReport) => number): void => {
      show({ name: `${path.name}: ${what} over QUIC`, value: of(quic), unit });
      show({ name: `${path.name}: ${what} over the standby`, value: of(standby), unit });
    };
    rows("four downloads", "MB/s", ({ downloadBytesPerSecond }) => downloadBytesPerSecond / 1e6);
    rows("small requests' p99 with them", "ms", ({ small }) => small.p99);
  }
}

/** The round in which small requests fared better. */
async function measure(path: Path, ...relay: [string, ...string[]]): Promise<CrowdReport> {
  const reports = await withLabTunnel({ ...path, transport: "auto", relay }, async (tunnel, lab) => {
    const all: CrowdReport[] = [];
    for (let round = 0; round < rounds; round++) {
      await lab.configure({ lossPercent: path.lossPercent });
      const [report] = await Promise.all([tunnel.crowd(visitors), worsen(lab, path)]);
      for (const error of report.errors.slice(0, 3)) process.stderr.write(`${error}\n`);
      all.push(report);
    }
    return all;
  });
  return reports.reduce((a, b) => (b.small.p99 < a.small.p99 ? b : a));
}

async function worsen(lab: Netlab, { later }: Path): Promise<void> {
  if (!later) return;
  await carried(lab, "toRelay", underWayBytes);
  await lab.configure(later);
}
