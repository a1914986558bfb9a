import { absence, absences, darkUdp, shortDarkness } from "@porthole/testing/netlab";
import { mayUseLab, withLabTunnel } from "./lab.ts";
import type { ShowRow } from "./row.ts";

const path = { delayMs: 10, lossPercent: 0 };
const darkSeconds = 20;
const momentSeconds = 3;
const awaySeconds = 60;
const withinFive = { unit: "s", target: 5, atMost: true };

/** What visitors notice of a network that fails: UDP that goes dark, and clients that are away. The same scenarios as in test/network/network.test.ts. */
export async function benchOutages(show: ShowRow): Promise<void> {
  if (!mayUseLab()) return;
  await withLabTunnel({ ...path, transport: "auto" }, async (tunnel, lab) => {
    const { visitorSeconds, download, quicBackSeconds } = await darkUdp(lab, tunnel, darkSeconds);
    const [first = 0, ...next] = visitorSeconds;
    const what = `UDP dark for ${darkSeconds} s:`;
    show({ name: `${what} the first visitor is served`, value: first, unit: "s", target: 1, atMost: true });
    show({ name: `${what} the slowest of the next`, value: Math.max(...next), unit: "s", target: 1, atMost: true });
    const { afterSeconds } = download;
    show({ name: `${what} a download is over`, value: afterSeconds, unit: "s", target: 15, atMost: true });
    show({ name: `${what} QUIC is back`, value: quicBackSeconds, unit: "s", target: 60, atMost: true });
  });
  await withLabTunnel({ ...path, transport: "auto" }, async (tunnel, lab) => {
    const { download, upload, lost } = await shortDarkness(lab, tunnel, momentSeconds);
    const what = `UDP dark for ${momentSeconds} s:`;
    show({ name: `${what} packets lost each way, at least`, value: Math.min(lost.toRelay, lost.toClient), unit: "" });
    const whole = [download, upload].filter((transfer) => transfer.whole).length;
    show({ name: `${what} transfers of two that continued`, value: whole, unit: "", target: 2 });
  });
  const cases = absences([5, awaySeconds]);
  // Side by side: most of the time they wait.
  const returns = await Promise.all(
    cases.map(({ how, seconds, transport }) =>
      withLabTunnel({ ...path, transport }, (tunnel, lab) => absence(lab, tunnel, how, seconds)),
    ),
  );
  for (const [index, { servedSeconds, withoutDuplicatesSeconds, sameUrls }] of returns.entries()) {
    const { how, seconds, transport } = cases[index] as (typeof cases)[number];
    const what = `${how}${seconds > 0 ? ` for ${seconds} s` : ""}, ${transport}:`;
    if (!sameUrls) throw new Error(`${what} it came back under another name`);
    show({ name: `${what} served again`, value: servedSeconds, ...withinFive });
    show({ name: `${what} no link too many`, value: withoutDuplicatesSeconds ?? Infinity, ...withinFive });
  }
}
