import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { generateKey, createCertificate } from "@porthole/common/identity";
import { freePort } from "@porthole/testing";
import { download, keptAlive, newConnections, type Target } from "./load.ts";
import { start, waitForLine, withRelay } from "./processes.ts";
import type { ShowRow } from "./row.ts";

const seconds = 3;
const downloadBytes = 300_000_000;
const rounds = 3;
const startDeadlineMs = 10_000;

interface Places {
  /** What both of its programs agree on. */
  readonly control: number;
  readonly public: number;
  /** The service that speaks TLS. */
  readonly service: number;
}

interface Peer {
  readonly name: string;
  /** Each with its arguments; `{file}` stands for a file of that name with these contents. */
  readonly programs: readonly (readonly string[])[];
  readonly files?: (places: Places) => Readonly<Record<string, string>>;
}

/** Programs that carry TCP, found in PATH. How to get them: bench/README.md. */
const peers: readonly Peer[] = [
  {
    name: "frp",
    programs: [
      ["frps", "-c", "{s.toml}"],
      ["frpc", "-c", "{c.toml}"],
    ],
    files: (at) => ({
      "s.toml": `bindAddr = "127.0.0.1"\nbindPort = ${at.control}\n`,
      "c.toml": `serverAddr = "127.0.0.1"\nserverPort = ${at.control}\n[[proxies]]\nname = "x"\ntype = "tcp"\nlocalPort = ${at.service}\nremotePort = ${at.public}\n`,
    }),
  },
  {
    name: "chisel",
    programs: [
      ["chisel", "server", "--host", "127.0.0.1", "--port", "{control}", "--reverse"],
      ["chisel", "client", "http://127.0.0.1:{control}", "R:127.0.0.1:{public}:127.0.0.1:{service}"],
    ],
  },
  {
    name: "rathole (its link is not encrypted)",
    programs: [
      ["rathole", "--server", "{s.toml}"],
      ["rathole", "--client", "{c.toml}"],
    ],
    files: (at) => ({
      "s.toml": `[server]\nbind_addr = "127.0.0.1:${at.control}"\ndefault_token = "t"\n[server.services.x]\nbind_addr = "127.0.0.1:${at.public}"\n`,
      "c.toml": `[client]\nremote_addr = "127.0.0.1:${at.control}"\ndefault_token = "t"\n[client.services.x]\nlocal_addr = "127.0.0.1:${at.service}"\n`,
    }),
  },
  {
    name: "bore (its link is not encrypted)",
    programs: [
      ["bore", "server", "--min-port", "{public}", "--max-port", "{public}"],
      ["bore", "local", "{service}", "--to", "127.0.0.1", "--port", "{public}"],
    ],
  },
  {
    name: "haproxy (no tunnel, one more hop)",
    programs: [["haproxy", "-db", "-f", "{ha.cfg}"]],
    files: (at) => ({
      "ha.cfg": `defaults\n mode tcp\n timeout connect 5s\n timeout client 1h\n timeout server 1h\nlisten x\n bind 127.0.0.1:${at.public}\n server s 127.0.0.1:${at.service}\n`,
    }),
  },
];

/** Ours beside other tunnels, in turn: best of three rounds. All visitors speak TLS; behind a peer it ends at the service. */
export async function benchPeers(show: ShowRow): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "porthole-peers-"));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const key = generateKey();
    const { pem } = createCertificate({
      key,
      commonName: "peer",
      dnsNames: ["localhost"],
      notBefore: new Date(),
      days: 1,
    });
    const tlsEnv = { BENCH_TLS_KEY: key.pem, BENCH_TLS_CERT: pem };
    const secure = start("bench/service.ts", [], tlsEnv);
    running.push(secure);
    const service = Number(await waitForLine(secure, (line) => line));
    const plain = start("bench/service.ts", []);
    running.push(plain);
    const local = await waitForLine(plain, (line) => line);
    const targets: [name: string, target: Target][] = [["no tunnel", { port: service, name: "localhost" }]];
    await withRelay(async (_relay, ports, stateDir) => {
      for (const mode of ["http", "tcp"]) {
        const client = start("client/src/main.ts", [
          ...[local, "--server", `127.0.0.1:${ports.api}`, "--transport", "h2", "--mode", mode],
          ...["--state-dir", `${stateDir}/client-${mode}`],
        ]);
        running.push(client);
        let name = "";
        await waitForLine(client, (line) => {
          name ||= /^URL: https:\/\/([^:]+)/.exec(line)?.[1] ?? "";
          return line.startsWith("online") ? line : undefined;
        });
        targets.push([`Porthole, --mode ${mode}`, { port: ports.public, name }]);
      }
      for (const peer of peers) {
        if (!(await isInstalled(peer))) {
          process.stdout.write(`${peer.name}: not installed\n`);
          continue;
        }
        const at = { control: await freePort(), public: await freePort(), service };
        running.push(await startPeer(peer, at, await mkdtemp(join(folder, "peer-"))));
        targets.push([peer.name, { port: at.public, name: "localhost" }]);
      }
      await compare(targets, show);
    });
  } finally {
    for (const each of running) await each.stop();
    await rm(folder, { recursive: true });
  }
}

async function compare(targets: readonly (readonly [string, Target])[], show: ShowRow): Promise<void> {
  const measures: readonly (readonly [string, string, (target: Target) => Promise<number>])[] = [
    ["one download", "MB/s", (target) => download(target, downloadBytes)],
    ["small requests", "requests/s", (target) => keptAlive(target, 32, seconds)],
    ["new visitors", "connections/s", (target) => newConnections(target, 32, seconds)],
  ];
  for (const [what, unit, measure] of measures) {
    const best = targets.map(() => 0);
    // In turn, so that a noisy machine is noisy for all.
    for (let round = 0; round < rounds; round++)
      for (const [index, [, target]] of targets.entries())
        best[index] = Math.max(best[index] ?? 0, await measure(target));
    for (const [index, [name]] of targets.entries()) show({ name: `${what}: ${name}`, value: best[index] ?? 0, unit });
  }
}

async function isInstalled({ programs }: Peer): Promise<boolean> {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const [program = ""] of programs) {
    const found = await Promise.any(folders.map((folder) => access(join(folder, program), constants.X_OK))).then(
      () => true,
      () => false,
    );
    if (!found) return false;
  }
  return true;
}

/** Resolves once it takes connections. */
async function startPeer(peer: Peer, at: Places, folder: string): Promise<{ stop(): Promise<void> }> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(at)) values[name] = String(value);
  for (const [name, text] of Object.entries(peer.files?.(at) ?? {})) {
    values[name] = join(folder, name);
    await writeFile(join(folder, name), text);
  }
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    for (const child of children) {
      const exited = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
      child.kill("SIGKILL");
      await exited;
    }
  };
  for (const [program = "", ...args] of peer.programs) {
    const filled = args.map((arg) => arg.replace(/\{([\w.]+)\}/g, (all, name: string) => values[name] ?? all));
    children.push(spawn(program, filled, { stdio: "ignore" }));
    // bore has no way to be told a control port, and its client does not wait for it.
    await pause(500);
  }
  const until = performance.now() + startDeadlineMs;
  while (!(await listens(at.public))) {
    if (performance.now() > until) {
      await stop();
      throw new Error(`${peer.name} did not listen within ${startDeadlineMs / 1_000} s`);
    }
    await pause(50);
  }
  return { stop };
}

async function listens(port: number): Promise<boolean> {
  const socket = net.connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
