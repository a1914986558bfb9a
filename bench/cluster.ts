import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey } from "@porthole/common/identity";
import { download, keptAlive, newConnections, type Target } from "./load.ts";
import { processorMs } from "./process-time.ts";
import { start, waitForLine, type Running } from "./processes.ts";
import type { ShowRow } from "./row.ts";
import { visitsOf } from "./visits.ts";

const rounds = 3;
const seconds = 4;
const connections = 32;
const bytes = 500_000_000;

interface RunningRelay {
  readonly relay: Running;
  readonly api: number;
  readonly public: number;
}

/** Two relays that serve as one, a client at the first: visitors of the first against visitors of the second. The best of three rounds, in turn. */
export async function benchCluster(show: ShowRow): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "porthole-bench-"));
  const running: Running[] = [];
  try {
    const [home, front] = await startRelays(folder, running);
    const service = start("bench/service.ts", []);
    running.push(service);
    const servicePort = await waitForLine(service, (line) => line);
    const client = start("client/src/main.ts", [
      ...[servicePort, "--server", `127.0.0.1:${home.api}`, "--transport", "h2", "--state-dir", `${folder}/client`],
    ]);
    running.push(client);
    let name = "";
    await waitForLine(client, (line) => {
      name = /^URL: https:\/\/([^:]+)/.exec(line)?.[1] ?? name;
      return line.startsWith("online") ? line : undefined;
    });
    const ways = { "at its relay": { port: home.public, name }, "at another": { port: front.public, name } };
    const results = new Map(Object.keys(ways).map((way): [string, Result[]] => [way, []]));
    for (let round = 0; round < rounds; round++)
      for (const [way, target] of Object.entries(ways)) results.get(way)?.push(await measure(target, home, front));
    for (const [way, each] of results) {
      const best = (of: (result: Result) => number, choose = Math.max): number => choose(...each.map(of));
      show({ name: `visitors ${way}: one download`, value: best(({ speed }) => speed), unit: "MB/s" });
      show({ name: `visitors ${way}: its relay's processor`, value: best(({ home }) => home, Math.min), unit: "s/GB" });
      show({ name: `visitors ${way}: the other one's`, value: best(({ front }) => front, Math.min), unit: "s/GB" });
      show({ name: `visitors ${way}: small requests`, value: best(({ requests }) => requests), unit: "requests/s" });
      show({ name: `visitors ${way}: new visitors`, value: best(({ visitors }) => visitors), unit: "connections/s" });
      show({ name: `visitors ${way}: one visit, p50`, value: best(({ p50 }) => p50, Math.min), unit: "ms" });
    }
  } finally {
    for (const each of running.toReversed()) await each.stop();
    await rm(folder, { recursive: true });
  }
  const names = start("bench/cluster-names.ts", [], { NODE_OPTIONS: "--expose-gc" });
  await waitForLine(names, (line) => {
    if (line === "end") return line;
    show(JSON.parse(line) as Parameters<ShowRow>[0]);
    return undefined;
  });
}

interface Result {
  readonly speed: number;
  /** Seconds of a processor for a gigabyte. */
  readonly home: number;
  readonly front: number;
  readonly requests: number;
  readonly visitors: number;
  readonly p50: number;
}

async function measure(target: Target, home: RunningRelay, front: RunningRelay): Promise<Result> {
  const spent = (): Promise<number[]> => Promise.all([home, front].map(({ relay }) => processorMs(relay.child.pid)));
  const before = await spent();
  const speed = await download(target, bytes);
  const after = await spent();
  const perGigabyte = (index: number): number => ((after[index] ?? 0) - (before[index] ?? 0)) / (bytes / 1e6);
  return {
    speed,
    ...{ home: perGigabyte(0), front: perGigabyte(1) },
    requests: await keptAlive(target, connections, seconds),
    visitors: await newConnections(target, connections, seconds),
    p50: (await visitsOf(target, seconds)).p50,
  };
}

async function startRelays(folder: string, running: Running[]): Promise<[RunningRelay, RunningRelay]> {
  const seats = await Promise.all(
    ["home", "front"].map(async (name) => {
      const key = generateKey();
      const stateDir = join(folder, name);
      await writeKey(stateDir, key.pem);
      return { stateDir, node: key.fingerprint, port: await freePort() };
    }),
  );
  const peers = seats.map(({ node, port }) => `--peer=${node}@127.0.0.1:${port}`);
  const relays = await Promise.all(
    seats.map(async ({ stateDir, port }) => {
      const own = ["--api-port=0", "--pub-port=0", "--json", `--state-dir=${stateDir}`, `--peer-port=${port}`];
      const relay = start("relay/src/main.ts", [...own, ...peers]);
      running.push(relay);
      const entry = await waitForLine(relay, (line) => {
        const { msg, ...ports } = JSON.parse(line) as {
          readonly msg: string;
          readonly api: number;
          readonly public: number;
        };
        return msg === "Relay is ready" ? ports : undefined;
      });
      return { relay, api: entry.api, public: entry.public };
    }),
  );
  return relays as [RunningRelay, RunningRelay];
}

async function writeKey(stateDir: string, pem: string): Promise<void> {
  await mkdir(stateDir, { mode: 0o700 });
  await writeFile(join(stateDir, "node-key.pem"), pem, { mode: 0o600 });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
