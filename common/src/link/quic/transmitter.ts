import { PortholeError } from "../../errors.ts";
import type { Clock } from "../../util/clock.ts";
import type { RemoteAddress } from "../types.ts";
import type { HostPort, QuicheConnection } from "./binding.ts";
import { Pacer } from "./pacer.ts";
import type { DatagramSender } from "./udp-socket.ts";

export interface TransmitterOptions {
  readonly engine: QuicheConnection;
  /** Names the connection in errors. */
  readonly what: string;
  readonly remote: RemoteAddress;
  readonly clock: Clock;
  readonly sender: DatagramSender;
  /** Whether the engine's `sendQuantum` says something about its rate: with BBR. */
  readonly isPaced: boolean;
}

/** There is nothing more to send, or only the burst is over, or the pacer holds the rest back. */
export type BurstResult = "done" | "more" | "paced";

/** Of one connection in one turn of the event loop: then others may go on, and acknowledgements come in. */
const maxBurstBytes = 64 * 1350;
const internalError = 1; // RFC 9000 section 20.1
const nothing = Buffer.alloc(0);

/** One connection's packets on their way out. */
export class Transmitter {
  readonly #options: TransmitterOptions;
  readonly #pacer: Pacer | undefined;
  #remote: RemoteAddress;
  #peerMoves = false;
  #failure: PortholeError | undefined;

  constructor(options: TransmitterOptions) {
    this.#options = options;
    this.#remote = options.remote;
    this.#pacer = options.isPaced ? new Pacer() : undefined;
  }

  /** Where the last packet went. */
  get remote(): RemoteAddress {
    return this.#remote;
  }

  /** Why the engine could not send any more. */
  get failure(): PortholeError | undefined {
    return this.#failure;
  }

  /** A packet came from another address than the one before. Where the engine wants to send matters from now on. */
  expectMove(): void {
    this.#peerMoves = true;
  }

  burst(): BurstResult {
    const { engine, clock, sender } = this.#options;
    const allowance = this.#pacer?.allowance(clock.monotonic(), engine.sendQuantum()) ?? Number.POSITIVE_INFINITY;
    let result: BurstResult = allowance < maxBurstBytes ? "paced" : "more";
    let left = Math.min(allowance, maxBurstBytes);
    while (left > 0) {
      const packet = this.#sendOne();
      if (!packet) {
        result = "done";
        break;
      }
      left -= packet.length;
      this.#pacer?.spend(packet.length);
    }
    sender.flush();
    return result;
  }

  /** Sends everything, and answers a copy of the last packet. For a few packets that must leave now. */
  drain(): Buffer | undefined {
    let last: Buffer | undefined;
    for (let packet = this.#sendOne(); packet; packet = this.#sendOne()) last = Buffer.from(packet);
    this.#options.sender.flush();
    return last;
  }

  /** Sends a packet of before again. */
  repeat(packet: Buffer): void {
    this.#options.sender.send(packet, packet.length, this.#remote);
  }

  #sendOne(): Buffer | undefined {
    const { engine, sender, what } = this.#options;
    const packet = sender.acquire();
    let sent: [number, { readonly to: HostPort }] | null;
    try {
      sent = engine.send(packet);
    } catch (cause) {
      this.#failure ??= new PortholeError("internal", `${what}: the QUIC engine can't send`, { cause });
      engine.close(false, internalError, nothing);
      return undefined;
    }
    if (!sent) return undefined;
    const [length, { to }] = sent;
    if (this.#peerMoves && (to.port !== this.#remote.port || to.host !== this.#remote.address)) {
      this.#remote = { address: to.host, port: to.port };
      // The engine notes each move, and would keep its notes for ever.
      while (engine.pathEventNext());
    }
    sender.send(packet, length, this.#remote);
    return packet.subarray(0, length);
  }
}
