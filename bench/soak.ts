// npm run soak -- [MINUTES [SEED [WORD...]]]: visitors of all kinds, and one fault after the other, both by chance from a seed; only
// faults with one of the words in their names, if there are any. Prints what happens as it happens. Ends with 1, and says where
// the logs are, when a visitor got something wrong, was not served although nothing was the matter, or when something is left
// in the end. Root on Linux.
import { createWriteStream, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { RelayReport } from "@porthole/relay";
import { askRelay } from "../relay/src/commands/control.ts";
import {
  childOf,
  createNetlab,
  fileHash,
  netlabMissing,
  residentBytes,
  startLabTunnel,
  statusIn,
  type LabTunnel,
  type Netlab,
} from "@porthole/testing/netlab";
import { tunnelLimits } from "@porthole/tunnel/tunnel";

const minutes = Number(process.argv[2] ?? 20);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const words = process.argv.slice(4);
const visitorsAtOnce = 6;
/** After a fault's end a visitor may still fail who came during it, and links find their way back. */
const recoverySeconds = 20;
const calm = { delayMs: 10, lossPercent: 0, rateMbit: 0 };

// mulberry32, whose period is long enough for a soak.
let state = seed;
function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

function between(from: number, to: number): number {
  return Math.round(from + random() * (to - from));
}

function say(text: string): void {
  process.stdout.write(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${text}\n`);
}

interface Fault {
  readonly name: string;
  /** Whether visitors may fail during it. */
  readonly hurts: boolean;
  begin(lab: Netlab, tunnel: LabTunnel): unknown;
  end(lab: Netlab, tunnel: LabTunnel): unknown;
}

const path = (change: Parameters<Netlab["configure"]>[0]): Pick<Fault, "begin" | "end"> => ({
  begin: (lab) => lab.configure(change),
  end: (lab) => lab.configure(calm),
});
const stopped = (pidOf: (tunnel: LabTunnel) => number | undefined): Pick<Fault, "begin" | "end"> => ({
  begin: (_lab, tunnel) => signal(pidOf(tunnel), "SIGSTOP"),
  end: (_lab, tunnel) => signal(pidOf(tunnel), "SIGCONT"),
});
const worker = ({ relay }: LabTunnel): number | undefined => childOf(relay.child.pid ?? 0);
const nothing = (): void => {};

const faults: readonly (() => Fault)[] = [
  () => ({ name: "nothing", hurts: false, begin: nothing, end: nothing }),
  () => {
    const lossPercent = between(1, 5);
    return { name: `${lossPercent} % loss`, hurts: false, ...path({ lossPercent }) };
  },
  () => {
    const delayMs = between(20, 150);
    return { name: `${delayMs} ms each way`, hurts: false, ...path({ delayMs }) };
  },
  () => {
    const rateMbit = between(5, 50);
    return { name: `${rateMbit} Mbit/s`, hurts: true, ...path({ rateMbit }) };
  },
  () => ({
    name: "UDP is dark",
    hurts: true,
    begin: (lab) => lab.udpBlackhole(true),
    end: (lab) => lab.udpBlackhole(false),
  }),
  () => ({ name: "the cable is out", hurts: true, begin: (lab) => lab.cut(), end: (lab) => lab.heal() }),
  () => ({ name: "another address", hurts: true, begin: (lab) => lab.readdress(), end: nothing }),
  () => ({ name: "the client is stopped", hurts: true, ...stopped(({ client }) => client.child.pid) }),
  () => ({ name: "the relay is stopped", hurts: true, ...stopped(({ relay }) => relay.child.pid) }),
  () => ({ name: "the QUIC process is stopped", hurts: true, ...stopped(worker) }),
  () => ({
    name: "the QUIC process is killed",
    hurts: true,
    begin: (_lab, tunnel) => signal(worker(tunnel), "SIGKILL"),
    end: nothing,
  }),
];

function anyFault(): Fault {
  const isWanted = ({ name }: Fault): boolean => words.length === 0 || words.some((word) => name.includes(word));
  for (let tries = 0; tries < 1_000; tries++) {
    const fault = (faults[between(0, faults.length - 1)] as () => Fault)();
    if (isWanted(fault)) return fault;
  }
  throw new Error(`No fault has one of these words in its name: ${words.join(", ")}`);
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It has ended in the meantime.
  }
}

const counts = { served: 0, left: 0, excused: 0, failed: 0, wrong: 0 };
/** Until when a failure is nobody's fault. */
let excusedUntil = 0;
const soak = { isOver: false };

async function visitor(tunnel: LabTunnel): Promise<void> {
  while (!soak.isOver) {
    const came = performance.now();
    const bytes = 2 ** between(8, 23);
    const kind = random();
    if (kind < 0.1) {
      // Leaves in the middle, or hardly reads.
      await tunnel.visit(200_000_000, 0.5 + random());
      counts.left += 1;
      continue;
    }
    const {
      ok,
      exitCode,
      bytes: arrived,
      sha256,
    } = await (kind < 0.3 ? tunnel.upload(bytes, 30) : tunnel.visit(bytes, 30));
    if (ok && sha256 === fileHash(bytes)) counts.served += 1;
    else if (ok) {
      counts.wrong += 1;
      say(`WRONG: ${bytes} bytes arrived with another hash`);
    } else if (came < excusedUntil || performance.now() < excusedUntil) counts.excused += 1;
    else {
      counts.failed += 1;
      say(`FAILED: ${kind < 0.3 ? "upload" : "download"} of ${bytes} bytes, curl ${exitCode} after ${arrived}`);
    }
    await pause(random() * 300);
  }
}

const told = { relay: 0, client: 0, status: "" };
/** The relay's log levels are numbers. */
const warning = 40;

/** Links that have ended, and why, what the client makes of it, and whatever else they complain of. */
function tellNews({ relay, client }: LabTunnel): void {
  for (const { msg, level, transport } of relay.entries.slice(told.relay)) {
    const isEnd = String(msg).startsWith("Client disconnected");
    if (isEnd || Number(level) >= warning) say(`  relay: ${isEnd ? `${String(transport)}: ` : ""}${String(msg)}`);
  }
  told.relay = relay.entries.length;
  for (const entry of client.entries.slice(told.client)) {
    if (entry["event"] === "log" && entry["level"] !== "info") say(`  client: ${String(entry["message"])}`);
    const now = statusIn([entry]);
    if (!now) continue;
    const status = now.status === "online" ? `over ${now.transport}. ${now.whyNotQuic ?? ""}` : now.status;
    if (status !== told.status) say(`  client: ${status}`);
    told.status = status;
  }
  told.client = client.entries.length;
}

interface Figures {
  readonly handles: Readonly<Record<string, number>>;
  readonly mebibytes: Readonly<Record<string, number>>;
  /** As the relay has them. */
  readonly links: number;
  readonly streams: number;
}

function ofEach(tunnel: LabTunnel, read: (pid: number) => number): Record<string, number> {
  const pids = {
    relay: tunnel.relay.child.pid ?? 0,
    worker: worker(tunnel) ?? 0,
    client: tunnel.client.child.pid ?? 0,
  };
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, pid === 0 ? 0 : read(pid)]));
}

function mebibytes(tunnel: LabTunnel): Record<string, number> {
  return ofEach(tunnel, (pid) => Math.round(residentBytes(pid) / 1024 / 1024));
}

async function figures(tunnel: LabTunnel, folder: string): Promise<Figures> {
  const { clients } = await askRelay<RelayReport>(join(folder, "relay"), "status");
  const links = clients.flatMap((client) => client.links);
  return {
    handles: ofEach(tunnel, (pid) => readdirSync(`/proc/${pid}/fd`).length),
    mebibytes: mebibytes(tunnel),
    links: links.length,
    streams: links.reduce((sum, { streams }) => sum + streams, 0),
  };
}

const startedAt = performance.now();
const missing = netlabMissing();
if (missing !== undefined) throw new Error(typeof missing === "string" ? missing : missing.platform);
const folder = await mkdtemp(join(tmpdir(), "porthole-soak-"));
const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => {
    soak.isOver = true;
    interrupted.abort(new Error(`Ended by ${name}`));
  });
const wait = (ms: number): Promise<void> => pause(ms, undefined, { signal: interrupted.signal });
const lab = await createNetlab({ ...calm, seed }, interrupted);
let isClean = false;
try {
  const tunnel = await startLabTunnel(lab, { transport: "auto", folder });
  for (const [name, { child }] of Object.entries({ relay: tunnel.relay, client: tunnel.client }))
    child.stdout?.pipe(createWriteStream(join(folder, `${name}.log`)));
  await tunnel.online("quic");
  // A pool that has come out is sent home.
  await wait(tunnelLimits.quicSettledMs + 5_000);
  while (tunnel.links() !== 2) await wait(1_000);
  await tunnel.visit(1_000, 10);
  await wait(1_000);
  say(`seed ${seed}, ${minutes} minutes`);
  const before = await figures(tunnel, folder);
  say(JSON.stringify(before));
  const telling = setInterval(() => tellNews(tunnel), 200).unref();
  const visitors = Array.from({ length: visitorsAtOnce }, () => visitor(tunnel));
  while (performance.now() - startedAt < minutes * 60_000) {
    const fault = anyFault();
    const seconds = between(1, 25);
    say(`${fault.name} for ${seconds} s; so far ${JSON.stringify({ ...counts, mebibytes: mebibytes(tunnel) })}`);
    if (fault.hurts) excusedUntil = Number.POSITIVE_INFINITY;
    await fault.begin(lab, tunnel);
    await wait(1_000 * seconds);
    await fault.end(lab, tunnel);
    if (fault.hurts) excusedUntil = performance.now() + 1_000 * recoverySeconds;
    await wait(1_000 * between(0, 2 * recoverySeconds));
  }
  say("Calm now");
  soak.isOver = true;
  await Promise.all(visitors);
  clearInterval(telling);
  await tunnel.online("quic", 90_000);
  const isBack = ({ handles, links, streams }: Figures): boolean =>
    links === before.links &&
    streams === 0 &&
    Object.entries(handles).every(([name, count]) => count <= (before.handles[name] ?? 0));
  let after = await figures(tunnel, folder);
  for (let i = 0; i < 60 && !isBack(after); i++) {
    await wait(1_000);
    after = await figures(tunnel, folder);
  }
  say(JSON.stringify(after));
  say(
    `${JSON.stringify(counts)}; handles, links and streams ${isBack(after) ? "are back where they were" : "ARE LEFT"}`,
  );
  const codes = [await tunnel.client.stop(), await tunnel.relay.stop()];
  say(`client and relay ended with ${codes.join(" and ")}`);
  isClean = isBack(after) && counts.failed + counts.wrong === 0 && codes.every((code) => code === 0);
} catch (reason) {
  if (!interrupted.signal.aborted) throw reason;
  say((interrupted.signal.reason as Error).message);
} finally {
  await lab.close();
  if (isClean || interrupted.signal.aborted) await rm(folder, { recursive: true, force: true });
  else say(`The logs are in ${folder}`);
}
process.exitCode = isClean ? 0 : 1;
