import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import https from "node:https";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { startFakeDns } from "./fake-dns.ts";
import { freePort } from "./free-port.ts";

export interface PebbleOptions {
  /** Where Pebble knocks for tls-alpn-01, on the address that `addressesOf` gives. */
  readonly tlsPort: number;
  readonly httpPort?: number;
  /** The lifetime of the certificates; five years when absent. */
  readonly lifetimeSeconds?: number;
  /** What the DNS says; 127.0.0.1 for every name when absent, no such name for undefined. */
  readonly addressesOf?: (name: string) => readonly string[] | undefined;
  /** Key ids with their HMAC keys (base64url), when Pebble shall demand external account binding. */
  readonly externalAccounts?: Readonly<Record<string, string>>;
  /** PEBBLE_WFE_NONCEREJECT and the like; without them it is quick and rejects nothing without need. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Pebble {
  readonly directoryUrl: string;
  /** What Pebble's own HTTPS certificate is to be verified with. */
  readonly caPem: string;
  /** The root of the certificates that it issues; another one after each start. */
  rootPem(): Promise<string>;
  /** What Pebble has logged so far. */
  log(): string;
  close(): Promise<void>;
}

/** A reason to skip tests, or undefined when there is a Pebble to run. */
export function whyNoPebble(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => existsSync(join(folder, "pebble"))) ? undefined : "Pebble is not installed";
}

/** Pebble, Let's Encrypt's small certificate authority for tests, on free ports of loopback with a DNS of its own. */
export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  // Ports are found free and taken a moment later: somebody may be quicker.
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options);
    } catch (reason) {
      if (attempt === 3) throw reason;
    }
  }
}

async function start(options: PebbleOptions): Promise<Pebble> {
  const { tlsPort, httpPort = 1, lifetimeSeconds, externalAccounts, addressesOf = () => ["127.0.0.1"] } = options;
  const folder = await mkdtemp(join(tmpdir(), "porthole-pebble-"));
  const dns = await startFakeDns(addressesOf);
  const [port, managementPort] = [await freePort(), await freePort()];
  const caPem = await writeOwnCertificate(folder);
  const config = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: join(folder, "cert.pem"),
    privateKey: join(folder, "key.pem"),
    httpPort,
    tlsPort,
    ocspResponderURL: "",
    externalAccountBindingRequired: externalAccounts !== undefined,
    ...(externalAccounts && { externalAccountMACKeys: externalAccounts }),
    ...(lifetimeSeconds !== undefined && { certificateValidityPeriod: lifetimeSeconds }),
  };
  await writeFile(join(folder, "pebble.json"), JSON.stringify({ pebble: config }));
  const child = spawn("pebble", ["-config", join(folder, "pebble.json"), "-dnsserver", dns.address], {
    env: {
      ...process.env,
      PEBBLE_VA_NOSLEEP: "1",
      PEBBLE_WFE_NONCEREJECT: "0",
      PEBBLE_AUTHZREUSE: "0",
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const exited = once(child, "exit");
  exited.catch(() => {});

  async function close(): Promise<void> {
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      child.kill("SIGKILL"); // it has nothing to save
      await exited;
    }
    await dns.close();
    await rm(folder, { recursive: true, force: true });
  }

  const management = `https://127.0.0.1:${managementPort}`;
  try {
    await answering(`${management}/roots/0`, caPem, child);
    await answering(`https://127.0.0.1:${port}/dir`, caPem, child);
  } catch (reason) {
    await close();
    throw new Error(`Pebble did not start: ${log}`, { cause: reason });
  }
  return {
    directoryUrl: `https://127.0.0.1:${port}/dir`,
    caPem,
    rootPem: () => get(`${management}/roots/0`, caPem),
    log: () => log,
    close,
  };
}

async function writeOwnCertificate(folder: string): Promise<string> {
  const key = generateKey();
  const { pem } = createCertificate({
    key,
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
    notBefore: new Date(Date.now() - 24 * 3_600_000),
    days: 30,
  });
  await writeFile(join(folder, "cert.pem"), pem);
  await writeFile(join(folder, "key.pem"), key.pem, { mode: 0o600 });
  return pem;
}

async function answering(url: string, ca: string, child: ChildProcess): Promise<void> {
  for (;;) {
    try {
      await get(url, ca);
      return;
    } catch (reason) {
      const isStarting = (reason as NodeJS.ErrnoException).code === "ECONNREFUSED";
      if (!isStarting || child.exitCode !== null || child.pid === undefined) throw reason;
    }
    await pause(20);
  }
}

function get(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = https.get(url, { ca, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () => resolve(Buffer.concat(chunks).toString()));
      answer.on("error", reject);
    });
    request.on("error", reject);
  });
}
