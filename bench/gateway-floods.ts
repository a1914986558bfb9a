import { writeFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { residentBytes } from "@porthole/testing/netlab";
import { start, waitForLine, withRelay, type Running } from "./processes.ts";
import type { ShowRow } from "./row.ts";
import { visitsOf } from "./visits.ts";

const floodSeconds = 10;
/** What a stranger left behind has to be gone by then. */
const settleMs = 10_000;
const mebi = 1024 * 1024;

interface Flood {
  readonly what: string;
  readonly args?: (stateDir: string) => readonly string[];
}

const webhooks = (stateDir: string): readonly string[] => [
  ...["--access-webhook", "github", "--access-webhook-secret-file", `${stateDir}/secret`, "--access-path", "/"],
];
const basic = (stateDir: string): readonly string[] => ["--access-basic-file", `${stateDir}/password`];

/** What can be thrown at a client's gateway. `PORTHOLE_BENCH_FLOODS` chooses some, separated by commas. */
const floods: Readonly<Record<string, Flood>> = {
  "h2-unread": { what: "6,000 answers of 5 MB over HTTP/2, and none is read" },
  "h2-unread-short": { what: "6,000 answers of 60 kB over HTTP/2, and none is read" },
  "h1-unread": { what: "500 answers of 1 GB over HTTP/1.1, and none is read" },
  "bytes-unread": {
    what: "500 answers of 1 GB carried as bytes, and none is read",
    args: () => ["--mode", "tcp"],
  },
  "slow-heads": { what: "500 visitors that send a field of their head a second" },
  "bad-records": { what: "200 visitors at once that break TLS after the handshake" },
  renegotiation: { what: "renegotiation in TLS 1.2" },
  webhooks: { what: "webhook bodies of 21 MB that are never whole", args: webhooks },
  guesses: { what: "wrong passwords", args: basic },
  "rapid-reset": { what: "requests that are reset at once (CVE-2023-44487)" },
  "made-you-reset": { what: "requests that make us reset them (CVE-2025-8671)" },
  continuation: { what: "a head without an end" },
  "empty-continuation": { what: "the same of empty frames" },
  settings: { what: "SETTINGS" },
  ping: { what: "PING" },
  priority: { what: "PRIORITY" },
  "window-update": { what: "WINDOW_UPDATE" },
  "empty-data": { what: "empty DATA" },
  "padded-data": { what: "DATA that is padding alone" },
  "hpack-bomb": { what: "heads that unpack to 4,000 times their size" },
  "unknown-frames": { what: "frames of an unknown type" },
};

/** What a client holds before, during and after floods of its visitors, and how many of another visitor's requests fail. */
export async function benchGatewayFloods(show: ShowRow): Promise<void> {
  const wanted = process.env["PORTHOLE_BENCH_FLOODS"]?.split(",");
  for (const [kind, flood] of Object.entries(floods))
    if (!wanted || wanted.includes(kind))
      await withRelay((_relay, ports, dir) => measure(kind, flood, ports, dir, show));
}

async function measure(
  kind: string,
  { what, args }: Flood,
  ports: { readonly api: number; readonly public: number },
  stateDir: string,
  show: ShowRow,
): Promise<void> {
  await writeFile(`${stateDir}/secret`, "hush", { mode: 0o600 });
  await writeFile(`${stateDir}/password`, "ada:lovelace", { mode: 0o600 });
  const programs: Running[] = [];
  try {
    const service = start("bench/service.ts", []);
    programs.push(service);
    const local = await waitForLine(service, (line) => line);
    const client = start("client/src/main.ts", [
      ...[local, "--server", `127.0.0.1:${ports.api}`, "--transport", "h2", "--no-acme"],
      ...["--state-dir", `${stateDir}/client`, ...(args?.(stateDir) ?? [])],
    ]);
    programs.push(client);
    let name = "";
    await waitForLine(client, (line) => {
      name ||= /^URL: https:\/\/([^:]+)/.exec(line)?.[1] ?? "";
      return line.startsWith("online") ? line : undefined;
    });
    const target = { port: ports.public, name };
    const resident = (): number => residentBytes(client.child.pid ?? 0) / mebi;
    // A process keeps what it has needed for its first visitors.
    await visitsOf(target, 2);
    const before = resident();
    const flooder = start("bench/gateway-flooder.ts", [kind, String(ports.public), name]);
    programs.push(flooder);
    await waitForLine(flooder, (line) => line);
    let during = before;
    const look = setInterval(() => (during = Math.max(during, resident())), 100);
    const visits = await visitsOf(target, floodSeconds);
    clearInterval(look);
    await flooder.stop();
    await pause(settleMs);
    show({ name: `${kind}: memory before (${what})`, value: before, unit: "MiB" });
    show({ name: `${kind}: at most during ${floodSeconds} s`, value: during, unit: "MiB" });
    show({ name: `${kind}: ${settleMs / 1_000} s after`, value: resident(), unit: "MiB" });
    show({ name: `${kind}: p99 of another visitor`, value: visits.p99, unit: "ms" });
    const failed = {
      name: `${kind}: its requests that failed, of ${visits.count + visits.failed}`,
      value: visits.failed,
    };
    show({ ...failed, unit: "", target: 0, atMost: true });
  } finally {
    for (const program of programs.toReversed()) await program.stop();
  }
}
