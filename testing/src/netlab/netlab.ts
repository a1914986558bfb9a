import { execFile, spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { soon } from "../end-to-end/until.ts";
import { startWire, type Wire } from "./wire.ts";

export type Host = "relay" | "client" | "user";

/** What the wire between client and relay does to packets, in each direction. The wire between user and relay does nothing. */
export interface WireSettings {
  readonly delayMs: number;
  /** The loss of IP packets, each by itself. */
  readonly lossPercent: number;
  /** No limit when absent or 0. */
  readonly rateMbit?: number;
  /** How long a limited rate may keep a packet waiting before the next one is dropped: 100 when absent. */
  readonly queueMs?: number;
}

export interface NetlabOptions extends WireSettings {
  /** The same seed loses the same packets of the same traffic. 1 when absent. */
  readonly seed?: number;
  /** TCP's congestion control on the wire: "cubic" when absent, as on most hosts. BBR, some hosts' default, hides loss. */
  readonly congestion?: string;
}

/** One direction of the wire, in packets. */
export interface DirectionStats {
  readonly carried: number;
  readonly carriedBytes: number;
  readonly lost: number;
  readonly blackholed: number;
  /** Dropped by a full queue. */
  readonly overflowed: number;
}

/**
 * Three hosts on this machine, with a network of their own that has nothing else in it:
 *
 *     user 10.78.0.2 ---------- 10.78.0.1 relay 10.77.0.1 ---- the wire ---- 10.77.0.2 client
 *
 * They share processor, files and processes with this machine, and have their own addresses, ports and loopback. Nothing
 * of it has a name: any number of labs runs side by side, and all of a lab is gone when its process is, whatever happened.
 */
export interface Netlab {
  /** Starts a program on a host. It ends with the lab at the latest. */
  exec(host: Host, argv: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Changes what the wire does; what is not mentioned stays. */
  configure(settings: Partial<WireSettings>): Promise<void>;
  /** Silently drops UDP on the wire, and nothing else. */
  udpBlackhole(on: boolean): Promise<void>;
  /** Takes the client's cable out: it notices, and has no way to the relay. */
  cut(): Promise<void>;
  heal(): Promise<void>;
  /** Gives the client another address in place of the one it has, as when a laptop moves. Returns the new one. */
  readdress(): Promise<string>;
  stats(): Promise<{ readonly toRelay: DirectionStats; readonly toClient: DirectionStats }>;
  /** Kills what still runs there. Never rejects, and may be called again. */
  close(): Promise<void>;
}

export const relayAddress = { fromClient: "10.77.0.1", fromUser: "10.78.0.1" } as const;
const clientAddresses = ["10.77.0.2", "10.77.0.3"] as const;
/** IPv6 would talk by itself, and its address, ready some seconds later, is a change of network for which a browser breaks off requests. */
const withoutIpv6 = (device: string): string => `link set ${device} addrgenmode none`;
const wireEnd = [
  withoutIpv6("wan0"),
  // While the wire's process doesn't get to run, nothing may be lost that it was not told to lose.
  "link set wan0 txqueuelen 10000 up",
];
/** Against what hangs, on a machine that may be busy with something else. */
const commandMs = 60_000;
const endMs = 60_000;

/** Needs `netlabMissing()` to be undefined. The signal ends the lab, also while it is being made. */
export async function createNetlab(
  options: NetlabOptions,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Netlab> {
  signal?.throwIfAborted();
  const lab = new RunningNetlab(await startWire(options.seed ?? 1), options.congestion ?? "cubic", signal);
  try {
    await lab.connect();
    await lab.configure(options);
    signal?.throwIfAborted();
    return lab;
  } catch (reason) {
    await lab.close();
    throw reason;
  }
}

class RunningNetlab implements Netlab {
  readonly #wire: Wire;
  readonly #congestion: string;
  readonly #children = new Set<ChildProcess>();
  #clientAddress: string = clientAddresses[0];
  readonly #signal: AbortSignal | undefined;
  #closed: Promise<void> | undefined;

  constructor(wire: Wire, congestion: string, signal: AbortSignal | undefined) {
    this.#wire = wire;
    this.#congestion = congestion;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  async connect(): Promise<void> {
    await this.#ip("relay", [
      "link set lo up",
      ...wireEnd,
      `address add ${relayAddress.fromClient}/24 dev wan0`,
      `link add lan0 type veth peer name lan0 netns ${this.#wire.user}`,
      withoutIpv6("lan0"),
      "link set lan0 up",
      `address add ${relayAddress.fromUser}/24 dev lan0`,
      this.#route(relayAddress.fromClient),
    ]);
    await this.#ip("user", [
      "link set lo up",
      withoutIpv6("lan0"),
      "link set lan0 up",
      "address add 10.78.0.2/24 dev lan0",
    ]);
    await this.#ip("client", [
      "link set lo up",
      ...wireEnd,
      `address add ${this.#clientAddress}/24 dev wan0`,
      this.#route(this.#clientAddress),
    ]);
  }

  exec(host: Host, argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    if (this.#closed) throw new Error("The lab is closed");
    // The kernel ends it if we are killed outright.
    const enter = ["--pdeathsig", "KILL", "nsenter", `--net=${this.#wire[host]}`, "--"];
    const child = spawn("setpriv", [...enter, ...argv], options);
    this.#children.add(child);
    child.on("close", () => this.#children.delete(child));
    return child;
  }

  async configure({ delayMs, lossPercent, rateMbit, queueMs }: Partial<WireSettings>): Promise<void> {
    for (const [word, value] of Object.entries({ delay: delayMs, loss: lossPercent, rate: rateMbit, queue: queueMs }))
      if (value !== undefined) await this.#wire.order(`${word} ${value}`);
  }

  async udpBlackhole(on: boolean): Promise<void> {
    await this.#wire.order(`udp ${on ? "drop" : "pass"}`);
  }

  cut(): Promise<void> {
    return this.#ip("client", ["link set wan0 down"]);
  }

  heal(): Promise<void> {
    // The way that the kernel makes by itself has its own congestion control.
    return this.#ip("client", ["link set wan0 up", this.#route(this.#clientAddress)]);
  }

  async readdress(): Promise<string> {
    const old = this.#clientAddress;
    this.#clientAddress = clientAddresses.find((address) => address !== old) as string;
    await this.#ip("client", [
      `address delete ${old}/24 dev wan0`,
      `address add ${this.#clientAddress}/24 dev wan0`,
      this.#route(this.#clientAddress),
    ]);
    return this.#clientAddress;
  }

  async stats(): Promise<{ readonly toRelay: DirectionStats; readonly toClient: DirectionStats }> {
    return JSON.parse(await this.#wire.order("stats"));
  }

  close(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#closed ??= this.#end().catch(() => {});
    return this.#closed;
  }

  readonly #onAbort = (): void => void this.close();

  async #end(): Promise<void> {
    const ends = [...this.#children].map((child) => {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      return soon(closed, "a program of the lab to end", endMs);
    });
    await Promise.allSettled(ends);
    await this.#wire.close();
  }

  #route(from: string): string {
    return `route replace 10.77.0.0/24 dev wan0 src ${from} congctl ${this.#congestion}`;
  }

  #ip(host: Host, lines: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        "nsenter",
        [`--net=${this.#wire[host]}`, "--", "ip", "-batch", "-"],
        { timeout: commandMs },
        (error, _stdout, stderr) =>
          error ? reject(new Error(`ip on ${host}: ${stderr || error.message}`)) : resolve(),
      );
      // It may end before it has read everything, and then says why.
      child.stdin?.on("error", () => {}).end(`${lines.join("\n")}\n`);
    });
  }
}
