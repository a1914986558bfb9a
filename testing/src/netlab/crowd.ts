// Visitors on the user's host: so many who ask for small things again and again, download, upload, or ask for a lot and read nothing.
// The plan is the first argument, as JSON; prints what they saw. New connections are made one after the other.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import https from "node:https";
import type { ClientRequest, IncomingMessage } from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/** One process of visitors. */
export interface CrowdPlan {
  readonly url: string;
  /** Where the relay is. */
  readonly address: string;
  /** The endpoint's certificate, a file. */
  readonly caPath: string;
  readonly small: number;
  readonly downloads: number;
  readonly uploads: number;
  readonly stalled: number;
  /** Before anything is counted. */
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface CrowdReport {
  /** Milliseconds of the small requests. */
  readonly small: { readonly count: number; readonly p50: number; readonly p95: number; readonly p99: number };
  /** The rate of all downloads, and of all uploads, together. */
  readonly downloadBytesPerSecond: number;
  readonly uploadBytesPerSecond: number;
  readonly errors: readonly string[];
}

const muchBytes = 1_000_000_000;
const block = Buffer.alloc(64 * 1024, "u");
const plan = JSON.parse(process.argv[2] ?? "") as CrowdPlan;
const { hostname, port, host } = new URL(plan.url);
const ca = readFileSync(plan.caPath);
const errors: string[] = [];
const latencies: number[] = [];
const measured = { from: 0, to: Number.POSITIVE_INFINITY };
let downloaded = 0;

function send(path: string, method: string, agent: https.Agent): ClientRequest {
  const request = https.request({
    ...{ host: plan.address, port, servername: hostname, ca, agent, path, method },
    headers: { host },
  });
  request.on("error", (error) => errors.push(`${path}: ${error.message}`));
  return request;
}

function keptAlive(): https.Agent {
  return new https.Agent({ keepAlive: true, maxSockets: 1 });
}

async function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return ((await once(request, "response")) as [IncomingMessage])[0];
}

function isMeasured(): boolean {
  const now = performance.now();
  return now >= measured.from && now < measured.to;
}

async function askSmall(agent: https.Agent): Promise<void> {
  const startedAt = performance.now();
  const answer = await answerOf(send("/1000", "GET", agent).end());
  answer.resume();
  await once(answer, "end");
  if (isMeasured()) latencies.push(performance.now() - startedAt);
}

async function small(agent: https.Agent): Promise<void> {
  while (performance.now() < measured.to) await askSmall(agent);
}

async function download(): Promise<void> {
  const answer = await answerOf(send(`/stream/${muchBytes}`, "GET", keptAlive()).end());
  answer.on("data", (chunk: Buffer) => {
    if (isMeasured()) downloaded += chunk.length;
  });
  await once(answer, "end");
}

async function upload(): Promise<void> {
  const request = send("/sink", "POST", keptAlive());
  while (performance.now() < measured.to) if (!request.write(block)) await once(request, "drain");
}

/** What has arrived of all uploads. */
async function uploaded(agent: https.Agent): Promise<number> {
  const answer = await answerOf(send("/sunk", "GET", agent).end());
  let text = "";
  for await (const chunk of answer.setEncoding("utf8")) text += String(chunk);
  return Number(text);
}

async function stall(): Promise<void> {
  const answer = await answerOf(send(`/stream/${muchBytes}`, "GET", keptAlive()).end());
  answer.pause();
}

function quantile(q: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? 0;
}

const ignore = (): void => {};
for (let i = 0; i < plan.stalled; i++) await stall();
const agents = Array.from({ length: plan.small }, keptAlive);
// Their connections are there before the big ones are.
for (const agent of agents) await askSmall(agent);
measured.from = performance.now() + 1_000 * plan.warmUpSeconds;
measured.to = measured.from + 1_000 * plan.seconds;
for (const agent of agents) small(agent).catch(ignore);
for (let i = 0; i < plan.downloads; i++) download().catch(ignore);
for (let i = 0; i < plan.uploads; i++) upload().catch(ignore);
const clerk = keptAlive();
await uploaded(clerk);
await pause(measured.from - performance.now());
const before = await uploaded(clerk);
await pause(measured.to - performance.now());
const sunkBytes = (await uploaded(clerk)) - before;
latencies.sort((a, b) => a - b);
const report: CrowdReport = {
  small: { count: latencies.length, p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
  downloadBytesPerSecond: downloaded / plan.seconds,
  uploadBytesPerSecond: sunkBytes / plan.seconds,
  errors,
};
console.log(JSON.stringify(report));
process.exit(0);
