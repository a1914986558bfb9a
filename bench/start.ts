import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { freePort } from "@porthole/testing";
import { buildPackages } from "@porthole/testing/built-programs";
import { loadOrCreateKey } from "@porthole/common/identity";
import { median } from "./median.ts";
import type { ShowRow } from "./row.ts";
import { visit } from "./visits.ts";

const rounds = 5;
const root = join(import.meta.dirname, "..");
/** The packages' compiled modules, one file for each source, and what npm installs as commands. */
const variants = {
  modules: { client: "client/dist/main.js", relay: "relay/dist/main.js" },
  published: { client: "client/dist/porthole.mjs", relay: "relay/dist/porthole-relay.mjs" },
} as const;
type Programs = (typeof variants)[keyof typeof variants];
const transports = ["auto", "h2", "quic"] as const;

/** How long people wait: from a program's start to a visitor's answer, and from a relay's death to the next one's first answer. */
export async function benchStart(show: ShowRow): Promise<void> {
  await buildPackages();
  const folder = await mkdtemp(join(tmpdir(), "porthole-bench-start-"));
  const service = http.createServer((_request, response) => response.end("ok")).listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as AddressInfo;
  try {
    for (const [variant, programs] of Object.entries(variants)) {
      const world = await World.open(programs, join(folder, variant), port);
      for (const transport of transports) {
        const starts: number[] = [];
        const returns: number[] = [];
        for (let round = 0; round < rounds; round++) {
          starts.push(await world.startClient(transport));
          // It has served for a while: a relay that is gone at once is another matter.
          await pause(2_000);
          returns.push(await world.restartRelay());
          await world.stopClient();
        }
        const isGoal = variant === "published" && transport === "auto";
        const goal = (target: number): object => (isGoal ? { target, atMost: true } : {});
        const about = `${variant}, ${transport}:`;
        show({ name: `${about} client's start to first visitor`, value: median(starts), unit: "ms", ...goal(150) });
        show({
          name: `${about} relay killed and started to service`,
          value: median(returns),
          unit: "ms",
          ...goal(400),
        });
      }
      await world.close();
    }
  } finally {
    service.close();
    await rm(folder, { recursive: true });
  }
}

class World {
  readonly #programs: Programs;
  readonly #folder: string;
  readonly #ports: { readonly api: number; readonly public: number };
  readonly #servicePort: number;
  readonly #name: string;
  #relay: ChildProcess | undefined;
  #client: ChildProcess | undefined;

  private constructor(programs: Programs, folder: string, ports: World["ports"], servicePort: number, id: string) {
    this.#programs = programs;
    this.#folder = folder;
    this.#ports = ports;
    this.#servicePort = servicePort;
    this.#name = `${id}.localhost`;
  }

  get ports(): { readonly api: number; readonly public: number } {
    return this.#ports;
  }

  /** The relay has run once before, and so has the client: keys are there, and compiled code where it is kept. */
  static async open(programs: Programs, folder: string, servicePort: number): Promise<World> {
    const key = await loadOrCreateKey(join(folder, "client", "primary-key.pem"));
    const ports = { api: await freePort(), public: await freePort() };
    const world = new World(programs, folder, ports, servicePort, key.clientId);
    await world.#startRelay();
    await world.startClient("auto");
    await world.stopClient();
    await stop(world.#relay, "SIGTERM");
    await world.#startRelay();
    return world;
  }

  async startClient(transport: (typeof transports)[number]): Promise<number> {
    const startedAt = performance.now();
    const flags = ["--server", `127.0.0.1:${this.#ports.api}`, "--transport", transport];
    this.#client = this.#start(this.#programs.client, [
      String(this.#servicePort),
      ...flags,
      ...["--state-dir", join(this.#folder, "client")],
    ]);
    await this.#served();
    return performance.now() - startedAt;
  }

  async stopClient(): Promise<void> {
    await stop(this.#client, "SIGTERM");
  }

  /** Killed with all of its processes, and started again at once. */
  async restartRelay(): Promise<number> {
    const { pid } = this.#relay ?? {};
    const gone = this.#relay && once(this.#relay, "exit");
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
    await gone;
    const startedAt = performance.now();
    this.#relay = this.#start(this.#programs.relay, this.#relayFlags());
    await this.#served();
    return performance.now() - startedAt;
  }

  async close(): Promise<void> {
    await stop(this.#relay, "SIGTERM");
  }

  async #startRelay(): Promise<void> {
    this.#relay = this.#start(this.#programs.relay, this.#relayFlags());
    for await (const line of createInterface({ input: this.#relay.stdout ?? process.stdin }))
      if (line.includes("Relay is ready")) break;
    this.#relay.stdout?.resume();
  }

  #relayFlags(): string[] {
    const { api, public: visitors } = this.#ports;
    return ["--json", "--api-port", `${api}`, "--pub-port", `${visitors}`, "--state-dir", join(this.#folder, "relay")];
  }

  #start(program: string, args: readonly string[]): ChildProcess {
    const child = spawn(process.execPath, [join(root, program), ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      // A process group, so that the relay's QUIC worker dies with it.
      detached: true,
      env: { PATH: process.env["PATH"], XDG_CACHE_HOME: join(this.#folder, "cache"), HOME: this.#folder },
    });
    child.stdout.resume();
    return child;
  }

  async #served(): Promise<void> {
    for (;;) {
      try {
        await visit({ port: this.#ports.public, name: this.#name });
        return;
      } catch {
        await pause(10);
      }
    }
  }
}

async function stop(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  await gone;
}
