import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { fileHash } from "./file.ts";
import type { LabTunnel, Visit } from "./lab-tunnel.ts";
import type { Netlab } from "./netlab.ts";

/** What happens to a tunnel, and what visitors see of it. Tests hold the figures against what was promised, bench/ prints them. */

export interface Transfer {
  /** All of it arrived, and it is the right thing. */
  readonly whole: boolean;
  /** From the beginning of the trouble to the transfer's end. */
  readonly afterSeconds: number;
}

export interface DarkUdp {
  /** Visitors who came one after the other, the first at the moment when UDP went dark. */
  readonly visitorSeconds: readonly number[];
  /** The slowest of a few who came before and after all of it. */
  readonly undisturbedSeconds: number;
  readonly download: Transfer;
  /** From UDP's return until QUIC carries new visitors. */
  readonly quicBackSeconds: number;
}

/** A tunnel over QUIC, with a download under way that would take longer than that, loses UDP for the given time. */
export async function darkUdp(lab: Netlab, tunnel: LabTunnel, seconds: number): Promise<DarkUdp> {
  await tunnel.online("quic");
  const undisturbed = await visitTimes(tunnel);
  const startedAt = { at: 0 };
  const download = transferOf(tunnel.visit(longBytes, transferSeconds), longBytes, startedAt);
  await carried(lab, "toRelay", 1_000_000);
  startedAt.at = performance.now();
  await lab.udpBlackhole(true);
  const visitorSeconds: number[] = [];
  while (visitorSeconds.length < 20 && performance.now() - startedAt.at < 1_000 * seconds) {
    const visit = await tunnel.visit(1_000, seconds);
    visitorSeconds.push(visit.ok ? visit.seconds : Number.POSITIVE_INFINITY);
  }
  await pause(startedAt.at + 1_000 * seconds - performance.now());
  await lab.udpBlackhole(false);
  const lightAt = performance.now();
  await tunnel.online("quic", 200_000);
  const quicBackSeconds = (performance.now() - lightAt) / 1_000;
  const result = { visitorSeconds, download: await download, quicBackSeconds };
  undisturbed.push(...(await visitTimes(tunnel)));
  return { ...result, undisturbedSeconds: Math.max(...undisturbed) };
}

export interface ShortDarkness {
  readonly download: Transfer;
  readonly upload: Transfer;
  /** Packets that were lost, each way. */
  readonly lost: { readonly toRelay: number; readonly toClient: number };
}

/** A download and an upload are under way, over QUIC, when UDP goes dark for the given time. */
export async function shortDarkness(lab: Netlab, tunnel: LabTunnel, seconds: number): Promise<ShortDarkness> {
  await tunnel.online("quic");
  const startedAt = { at: 0 };
  const download = transferOf(tunnel.visit(longBytes, transferSeconds), longBytes, startedAt);
  const upload = transferOf(tunnel.upload(longBytes, transferSeconds), longBytes, startedAt);
  await Promise.all([carried(lab, "toRelay", 4_000_000), carried(lab, "toClient", 4_000_000)]);
  startedAt.at = performance.now();
  await lab.udpBlackhole(true);
  await pause(1_000 * seconds);
  await lab.udpBlackhole(false);
  const results = { download: await download, upload: await upload };
  const { toRelay, toClient } = await lab.stats();
  return { ...results, lost: { toRelay: toRelay.blackholed, toClient: toClient.blackholed } };
}

export type Absence = "cable cut" | "address changed" | "client stopped";

export interface AbsenceCase {
  readonly how: Absence;
  readonly seconds: number;
  readonly transport: "auto" | "h2";
}

/** Cables out for each of these times, the others as long as the last, over each choice of transports. */
export function absences(seconds: readonly number[]): AbsenceCase[] {
  const longest = seconds.at(-1) ?? 0;
  const cases: readonly (readonly [Absence, number])[] = [
    ...seconds.map((each) => ["cable cut", each] as const),
    ["client stopped", longest],
    ["address changed", 0],
  ];
  return cases.flatMap(([how, away]) =>
    (["auto", "h2"] as const).map((transport) => ({ how, seconds: away, transport })),
  );
}

export interface Return {
  /** From the moment when the client could be reached again until a visitor had been served. */
  readonly servedSeconds: number;
  /** Until the relay had as many links as the client; undefined if it never had. */
  readonly withoutDuplicatesSeconds: number | undefined;
  readonly sameUrls: boolean;
  /** The slowest of a few visitors who came before and after all of it. */
  readonly undisturbedSeconds: number;
}

/** The client is away for the given time (0: an address that changes is away for a moment), without anyone telling the programs. */
export async function absence(lab: Netlab, tunnel: LabTunnel, how: Absence, seconds: number): Promise<Return> {
  const before = await urls(tunnel);
  const undisturbed = await visitTimes(tunnel);
  await begin[how](lab, tunnel);
  await pause(1_000 * seconds);
  await end[how](lab, tunnel);
  const backAt = performance.now();
  const since = (): number => (performance.now() - backAt) / 1_000;
  await firstServed(tunnel, longSeconds);
  const servedSeconds = since();
  let withoutDuplicatesSeconds: number | undefined;
  while (withoutDuplicatesSeconds === undefined && since() < longSeconds) {
    const now = await tunnel.status("any", () => true);
    if (now.status === "online" && now.links === tunnel.links()) withoutDuplicatesSeconds = since();
    else await pause(100);
  }
  const sameUrls = before === (await urls(tunnel));
  undisturbed.push(...(await visitTimes(tunnel)));
  return { servedSeconds, withoutDuplicatesSeconds, sameUrls, undisturbedSeconds: Math.max(...undisturbed) };
}

export interface StalledReaders {
  /** Milliseconds of small requests that others make, 95 of a hundred; without the stalled readers, and beside them. */
  readonly p95: { readonly alone: number; readonly beside: number };
  /** What each process has grown by at most. */
  readonly grownBytes: { readonly relay: number; readonly worker: number; readonly client: number };
  readonly errors: readonly string[];
}

/**
 * So many visitors ask for a gigabyte each and read nothing, while others ask for small things. `seconds` is how long these are counted, alone
 * and beside; defaults to 6.
 */
export async function stalledReaders(tunnel: LabTunnel, count: number, seconds = 6): Promise<StalledReaders> {
  const others = { small: 7, seconds };
  const alone = await tunnel.crowd(others);
  const memory = watchMemory(tunnel);
  try {
    const beside = await tunnel.crowd({ ...others, stalled: count, warmUpSeconds: 3 });
    return {
      p95: { alone: alone.small.p95, beside: beside.small.p95 },
      grownBytes: memory.grown(),
      errors: [...alone.errors, ...beside.errors],
    };
  } finally {
    memory.stop();
  }
}

function watchMemory({ relay, client }: LabTunnel): { grown(): StalledReaders["grownBytes"]; stop(): void } {
  const pids = { relay: relay.child.pid ?? 0, worker: childOf(relay.child.pid ?? 0), client: client.child.pid ?? 0 };
  const read = (): StalledReaders["grownBytes"] => ({
    relay: residentBytes(pids.relay),
    worker: pids.worker === undefined ? 0 : residentBytes(pids.worker),
    client: residentBytes(pids.client),
  });
  const before = read();
  const most = { ...before };
  const look = (): void => {
    const now = read();
    for (const name of ["relay", "worker", "client"] as const) most[name] = Math.max(most[name], now[name]);
  };
  const timer = setInterval(look, 200);
  return {
    grown() {
      look();
      return {
        relay: most.relay - before.relay,
        worker: most.worker - before.worker,
        client: most.client - before.client,
      };
    },
    stop: () => clearInterval(timer),
  };
}

/** The first child of a process; the relay's is its QUIC process. */
export function childOf(pid: number): number | undefined {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
  return child ? Number(child) : undefined;
}

export function residentBytes(pid: number): number {
  return 1_024 * Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

const longBytes = 60_000_000;
const longSeconds = 60;
/** The deadline of a download or an upload that nothing holds up but a busy machine. */
const transferSeconds = 240;

const begin: Readonly<Record<Absence, (lab: Netlab, tunnel: LabTunnel) => unknown>> = {
  "cable cut": (lab) => lab.cut(),
  "address changed": () => {},
  "client stopped": (_lab, { client }) => client.child.kill("SIGSTOP"),
};

const end: Readonly<Record<Absence, (lab: Netlab, tunnel: LabTunnel) => unknown>> = {
  "cable cut": (lab) => lab.heal(),
  "address changed": (lab) => lab.readdress(),
  "client stopped": (_lab, { client }) => client.child.kill("SIGCONT"),
};

/** How long a few visitors wait, one after the other. */
async function visitTimes(tunnel: LabTunnel): Promise<number[]> {
  const times: number[] = [];
  while (times.length < 3) {
    const { ok, exitCode, seconds } = await tunnel.visit(1_000, longSeconds);
    if (!ok) throw new Error(`A visitor was not served; curl ends with ${exitCode}`);
    times.push(seconds);
  }
  return times;
}

/** A visitor comes every second until one of them is served; the others are left to themselves. Rejects when nobody was in so many seconds. */
export async function firstServed(tunnel: LabTunnel, withinSeconds: number): Promise<void> {
  const served = Promise.withResolvers<true>();
  served.promise.catch(() => {});
  const exitCodes = new Set<number>();
  for (const giveUpAt = performance.now() + 1_000 * withinSeconds; performance.now() < giveUpAt;) {
    const visit = tunnel.visit(1_000, withinSeconds).then(({ ok, exitCode }) => {
      exitCodes.add(exitCode);
      if (ok) served.resolve(true);
    });
    visit.catch(served.reject);
    if (await Promise.race([served.promise, pause(1_000)])) return;
  }
  throw new Error(`Nobody was served in ${withinSeconds} s; curl ends with ${[...exitCodes].join(", ")}`);
}

async function urls(tunnel: LabTunnel): Promise<string> {
  const now = await tunnel.status("the client to be online", ({ status }) => status === "online");
  return JSON.stringify(now.status === "online" && now.urls);
}

async function transferOf(visit: Promise<Visit>, bytes: number, startedAt: { readonly at: number }): Promise<Transfer> {
  const { ok, sha256 } = await visit;
  return { whole: ok && sha256 === fileHash(bytes), afterSeconds: (performance.now() - startedAt.at) / 1_000 };
}

/** Resolves when the wire has carried so much from now on. */
export async function carried(lab: Netlab, direction: "toRelay" | "toClient", bytes: number): Promise<void> {
  const already = (await lab.stats())[direction].carriedBytes;
  const giveUpAt = performance.now() + 60_000;
  while ((await lab.stats())[direction].carriedBytes < already + bytes) {
    if (performance.now() > giveUpAt) throw new Error(`Less than ${bytes} bytes were carried ${direction}`);
    await pause(10);
  }
}
