import type { ChildProcess } from "node:child_process";
import { join, resolve } from "node:path";
import type { RelayStatus, TunnelState } from "@porthole/tunnel/tunnel";
import type { BrokenPlan, BrokenReport } from "./broken-visitors.ts";
import type { CrowdPlan, CrowdReport } from "./crowd.ts";
import { compileCache, programFile } from "../end-to-end/process.ts";
import { fileBytes, sha256 } from "./file.ts";
import { relayAddress, type Host, type Netlab } from "./netlab.ts";
import { watchProgram, type Entry, type Program } from "./program.ts";

export type Online = Extract<RelayStatus, { readonly status: "online" }>;

/** What curl saw of a download or an upload. */
export interface Visit {
  /** It is whole, by its length. */
  readonly ok: boolean;
  /** curl's exit status (https://curl.se/docs/manpage.html#EXIT). */
  readonly exitCode: number;
  readonly bytes: number;
  /** The hash of what has arrived. */
  readonly sha256: string;
  readonly seconds: number;
  readonly bytesPerSecond: number;
}

/** The two programs as users start them, a web server behind the client, and visitors: all on their hosts of a lab. */
export interface LabTunnel {
  readonly relay: Program;
  readonly client: Program;
  /** The client's present status, or the first one that is as wanted. */
  status(what: string, isWanted: (now: RelayStatus) => boolean, withinMs?: number): Promise<RelayStatus>;
  online(transport: Online["transport"], withinMs?: number): Promise<Online>;
  /** Links of clients that the relay has now. */
  links(): number;
  /** Downloads so many bytes as a visitor, within a deadline. */
  visit(bytes: number, withinSeconds: number): Promise<Visit>;
  /** A visitor uploads the same; bytes count when all of them have arrived. */
  upload(bytes: number, withinSeconds: number): Promise<Visit>;
  /** Transfers that break off; the service has to be breaking-server.ts. */
  broken(plan: Pick<BrokenPlan, "count" | "atOnce">): Promise<BrokenReport>;
  /** Many visitors at once. */
  crowd(plan: Partial<CrowdPlan> & { readonly seconds: number }): Promise<CrowdReport>;
}

export interface LabTunnelOptions {
  readonly transport: "auto" | "quic" | "h2";
  /** The QUIC engine of both; each one's best when absent. */
  readonly engine?: "native" | "quiche";
  /** How the client takes the web server behind it: for what it is, or as bytes. The former when absent. */
  readonly local?: "http" | "tcp";
  /** HTTP/2 connections; the client's default when absent. */
  readonly poolSize?: number;
  /** For state files. */
  readonly folder: string;
  /** Script of the web server, which prints its port; the one that `visit` and `upload` need when absent. */
  readonly service?: string;
}

/** 1,000 transfers of each kind take a minute or two. */
const brokenMs = 480_000;

const root = join(import.meta.dirname, "../../..");

/** Resolves as soon as visitors are served, over whatever. The lab's end is the programs' end. */
export async function startLabTunnel(lab: Netlab, options: LabTunnelOptions): Promise<LabTunnel> {
  const { transport, engine = "auto", poolSize, local = "http", folder } = options;
  const relay = startOn("relay", programFile("relay"), [
    ...["--bind-addr", "0.0.0.0", "--quic-engine", engine, "--open", "--json", "--state-dir", join(folder, "relay")],
    // All visitors of a lab come from one address.
    ...["--visitors-per-address", "0", "--visitors-per-name", "0"],
  ]);
  const server = startOn("client", options.service ?? "testing/src/netlab/file-server.ts", []);
  const [fingerprint, port] = await Promise.all([
    relay.when("the relay to be ready", (entries) => find(entries, "fingerprint")),
    server.when("the web server to be ready", (entries) => find(entries, "port")),
  ]);
  const client = startOn("client", programFile("client"), [
    ...[`${local}://127.0.0.1:${String(port)}`, "--server", `${relayAddress.fromClient}:4433`],
    ...["--server-fingerprint", String(fingerprint), "--transport", transport],
    ...["--quic-engine", engine],
    ...["--state-dir", join(folder, "client"), "--json"],
    ...(poolSize === undefined ? [] : ["--pool-size", String(poolSize)]),
  ]);

  function startOn(host: Host, script: string, args: readonly string[]): Program {
    const argv = [process.execPath, "--conditions=source", resolve(root, script), ...args];
    // Nothing of the caller's settings may reach the programs.
    const env = { PATH: process.env["PATH"], HOME: folder, ...compileCache };
    return watchProgram(lab.exec(host, argv, { stdio: ["ignore", "pipe", "pipe"], env }));
  }

  const caPath = join(folder, "client/primary-self-signed.pem");
  const tunnel: LabTunnel = {
    relay,
    client,
    status: (what, isWanted, withinMs) =>
      client.when(
        what,
        (entries) => {
          const now = statusIn(entries);
          return now && isWanted(now) ? now : undefined;
        },
        withinMs,
      ),
    online: async (transport, withinMs) =>
      (await tunnel.status(
        `the client to be online over ${transport}`,
        (now) => now.status === "online" && now.transport === transport,
        withinMs,
      )) as Online,
    links() {
      const count = (msg: string): number =>
        relay.entries.filter((entry) => String(entry["msg"]).startsWith(msg)).length;
      return count("Client connected") - count("Client disconnected");
    },
    async visit(bytes, withinSeconds) {
      const answer = await curl(await visitor(`/${bytes}`, withinSeconds));
      return visitOf(answer, { bytes: answer.body.length, sha256: sha256(answer.body), wanted: bytes });
    },
    async upload(bytes, withinSeconds) {
      const answer = await curl(await visitor("/", withinSeconds, ["--data-binary", "@-"]), fileBytes(bytes));
      const hash = answer.body.toString();
      return visitOf(answer, { bytes: hash ? bytes : 0, sha256: hash, wanted: bytes });
    },
    async broken(plan) {
      const { href: url } = await target();
      const whole: BrokenPlan = { ...plan, url, address: relayAddress.fromUser, caPath };
      const visitors = startOn("user", "testing/src/netlab/broken-visitors.ts", [JSON.stringify(whole)]);
      return visitors.when("what the visitors saw", ([report]) => report as BrokenReport | undefined, brokenMs);
    },
    async crowd(plan) {
      const { href: url } = await target();
      const nobody = { small: 0, downloads: 0, uploads: 0, stalled: 0, warmUpSeconds: 1 };
      const whole: CrowdPlan = { ...nobody, ...plan, url, address: relayAddress.fromUser, caPath };
      const visitors = startOn("user", "testing/src/netlab/crowd.ts", [JSON.stringify(whole)]);
      // They come one after the other, and a busy machine takes its time for each handshake.
      const withinMs = 1_000 * (whole.warmUpSeconds + whole.seconds + whole.stalled) + 90_000;
      return visitors.when("what the visitors saw", ([report]) => report as CrowdReport | undefined, withinMs);
    },
  };

  async function target(): Promise<URL> {
    const { urls } = (await tunnel.status("the client to be online", ({ status }) => status === "online")) as Online;
    return new URL(urls[0] ?? "");
  }

  /** Trusts nothing but the client's own certificate, and checks its name. */
  async function visitor(path: string, withinSeconds: number, more: readonly string[] = []): Promise<ChildProcess> {
    const { hostname, port, origin } = await target();
    const argv = [
      ...["curl", "--silent", "--fail", "--http1.1", "--max-time", String(withinSeconds)],
      ...["--cacert", caPath],
      ...["--resolve", `${hostname}:${port}:${relayAddress.fromUser}`, ...more, `${origin}${path}`],
    ];
    return lab.exec("user", argv, { stdio: ["pipe", "pipe", "ignore"] });
  }

  await tunnel.status("the client to be online", ({ status }) => status === "online");
  return tunnel;
}

/** Returns the last status that the client reports in these lines. */
export function statusIn(entries: readonly Entry[]): RelayStatus | undefined {
  const state = entries.findLast(({ event }) => event === "state") as TunnelState | undefined;
  return state?.endpoints[0]?.relays[0]?.now;
}

function find(entries: readonly Entry[], key: string): unknown {
  return entries.find((entry) => key in entry)?.[key];
}

interface Answer {
  readonly body: Buffer;
  readonly exitCode: number;
  readonly seconds: number;
}

/** Runs it to its end, which its own time limit brings. */
async function curl(child: ChildProcess, input: Buffer = Buffer.alloc(0)): Promise<Answer> {
  const startedAt = performance.now();
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  // It may end before it has read everything.
  child.stdin?.on("error", () => {}).end(input);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? -1));
  });
  return { body: Buffer.concat(chunks), exitCode, seconds: (performance.now() - startedAt) / 1_000 };
}

function visitOf(
  { exitCode, seconds }: Answer,
  { bytes, sha256, wanted }: { readonly bytes: number; readonly sha256: string; readonly wanted: number },
): Visit {
  return { ok: exitCode === 0 && bytes === wanted, exitCode, bytes, sha256, seconds, bytesPerSecond: bytes / seconds };
}
