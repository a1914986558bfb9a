// Visitors on the user's host, who look at how their connections end. Breaking ones and orderly ones come side by side. The plan is the first
// argument, as JSON; prints what they saw.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import tls, { type TLSSocket } from "node:tls";

export interface BrokenPlan {
  readonly url: string;
  /** Where the relay is. */
  readonly address: string;
  /** The endpoint's certificate, a file. */
  readonly caPath: string;
  /** Transfers that break, in each direction. */
  readonly count: number;
  readonly atOnce: number;
}

export interface BrokenReport {
  /** Downloads that the service broke off, and how many of them ended in order for the visitor. */
  readonly downloads: { readonly broken: number; readonly lookWhole: number };
  /** Uploads that the visitor broke off, and how many of them ended in order for the service. */
  readonly uploads: { readonly broken: number; readonly lookWhole: number };
  /** Downloads that ended in order, and how many of them did not for the visitor. */
  readonly orderly: { readonly whole: number; readonly lookBroken: number };
}

const plan = JSON.parse(process.argv[2] ?? "") as BrokenPlan;
const { hostname, port } = new URL(plan.url);
const ca = readFileSync(plan.caPath);
const mostBytes = 64 * 1024;
/** After this time without another reset at the service none is on its way. */
const quietMs = 5_000;

async function connect(): Promise<{ readonly raw: net.Socket; readonly visitor: TLSSocket }> {
  const raw = net.connect({ host: plan.address, port: Number(port) });
  raw.on("error", () => {});
  const visitor = tls.connect({ socket: raw, servername: hostname, ca });
  await once(visitor, "secureConnect");
  return { raw, visitor };
}

/** What a visitor reads, and whether it ends in order. */
async function download(line: string): Promise<{ readonly isOrderly: boolean; readonly text: string }> {
  const { visitor } = await connect();
  visitor.write(`${line}\n`);
  let isOrderly = false;
  let text = "";
  visitor.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  visitor.on("end", () => (isOrderly = true));
  visitor.on("error", () => (isOrderly = false));
  await new Promise((resolve) => visitor.once("close", resolve));
  return { isOrderly, text };
}

async function breakUpload(bytes: number): Promise<void> {
  const { raw, visitor } = await connect();
  visitor.on("error", () => {});
  await new Promise<void>((resolve) =>
    visitor.write(Buffer.concat([Buffer.from("take\n"), Buffer.alloc(bytes)]), () => resolve()),
  );
  raw.resetAndDestroy();
}

const report = {
  downloads: { broken: 0, lookWhole: 0 },
  uploads: { broken: 0, lookWhole: 0 },
  orderly: { whole: 0, lookBroken: 0 },
};

async function visitorOf(index: number): Promise<void> {
  const bytes = 1 + ((index * 7_919) % mostBytes);
  const broken = await download(`break ${bytes}`);
  report.downloads.broken += 1;
  if (broken.isOrderly) report.downloads.lookWhole += 1;
  const whole = await download(`end ${bytes}`);
  report.orderly.whole += 1;
  if (!whole.isOrderly || whole.text.length !== bytes) report.orderly.lookBroken += 1;
  await breakUpload(bytes);
  report.uploads.broken += 1;
}

let next = 0;
await Promise.all(
  Array.from({ length: plan.atOnce }, async () => {
    while (next < plan.count) await visitorOf(next++);
  }),
);
// The last resets are on their way to the service. One that is overtaken by its connection's end never gets there.
for (let seen = -1, quietSince = 0; ;) {
  const { ends, errors } = JSON.parse((await download("count")).text) as { ends: number; errors: number };
  report.uploads.lookWhole = ends;
  if (ends + errors !== seen) quietSince = performance.now();
  seen = ends + errors;
  if (seen >= plan.count || performance.now() - quietSince > quietMs) break;
}
process.stdout.write(`${JSON.stringify(report)}\n`);
