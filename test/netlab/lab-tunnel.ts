import { createHash } from "node:crypto";
import { join } from "node:path";
import type { RelayStatus, TunnelState } from "@porthole/common/tunnel";
import { relayAddress, type Host, type Netlab } from "./netlab.ts";
import { watchProgram, type Entry, type Program } from "./program.ts";

export type Online = Extract<RelayStatus, { readonly status: "online" }>;

/** What curl saw. */
export interface Visit {
  readonly ok: boolean;
  /** curl's exit status (https://curl.se/docs/manpage.html#EXIT): 28 is "too slow". */
  readonly exitCode: number;
  readonly bytes: number;
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
  /** A visitor downloads so many bytes; gives up after so many seconds. */
  visit(bytes: number, withinSeconds: number): Promise<Visit>;
}

export interface LabTunnelOptions {
  readonly transport: "auto" | "quic" | "h2";
  /** For state files. */
  readonly folder: string;
}

const root = join(import.meta.dirname, "../..");

/** Resolves as soon as visitors are served, over whatever. The lab's end is the programs' end. */
export async function startLabTunnel(lab: Netlab, { transport, folder }: LabTunnelOptions): Promise<LabTunnel> {
  const relay = startOn("relay", "relay/src/main.ts", [
    ...["--bind-addr", "0.0.0.0", "--json", "--state-dir", join(folder, "relay")],
  ]);
  const server = startOn("agent", "test/netlab/file-server.ts", []);
  const [fingerprint, port] = await Promise.all([
    relay.when("the relay to be ready", (entries) => find(entries, "fingerprint")),
    server.when("the web server to be ready", (entries) => find(entries, "port")),
  ]);
  const client = startOn("agent", "client/src/main.ts", [
    ...[`http://127.0.0.1:${String(port)}`, "--server", `${relayAddress.fromAgent}:4433`],
    ...["--server-fingerprint", String(fingerprint), "--transport", transport],
    ...["--state-dir", join(folder, "client"), "--json"],
  ]);

  function startOn(host: Host, script: string, args: readonly string[]): Program {
    const argv = [process.execPath, "--conditions=source", join(root, script), ...args];
    // Nothing of the caller's settings may reach the programs.
    const env = { PATH: process.env["PATH"], HOME: folder };
    return watchProgram(lab.exec(host, argv, { stdio: ["ignore", "pipe", "pipe"], env }));
  }

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
    async visit(bytes, withinSeconds) {
      const { urls } = (await tunnel.status("the client to be online", ({ status }) => status === "online")) as Online;
      return curl(lab, urls[0] ?? "", join(folder, "client/primary-self-signed.pem"), bytes, withinSeconds);
    },
  };
  await tunnel.status("the client to be online", ({ status }) => status === "online");
  return tunnel;
}

function statusIn(entries: readonly Entry[]): RelayStatus | undefined {
  const state = entries.findLast(({ event }) => event === "state") as TunnelState | undefined;
  return state?.endpoints[0]?.relays[0]?.now;
}

function find(entries: readonly Entry[], key: string): unknown {
  return entries.find((entry) => key in entry)?.[key];
}

/** Trusts nothing but the client's own certificate, and checks its name. */
async function curl(lab: Netlab, url: string, ca: string, bytes: number, withinSeconds: number): Promise<Visit> {
  const { hostname, port } = new URL(url);
  const child = lab.exec(
    "user",
    [
      ...["curl", "--silent", "--fail", "--http1.1", "--max-time", String(withinSeconds), "--cacert", ca],
      ...["--resolve", `${hostname}:${port}:${relayAddress.fromUser}`, `${url}/${bytes}`],
    ],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const startedAt = performance.now();
  const hash = createHash("sha256");
  let received = 0;
  child.stdout?.on("data", (chunk: Buffer) => {
    received += chunk.length;
    hash.update(chunk);
  });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? -1));
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    ok: exitCode === 0 && received === bytes,
    ...{ exitCode, bytes: received, seconds, bytesPerSecond: received / seconds },
    sha256: hash.digest("hex"),
  };
}
