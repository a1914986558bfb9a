import { PortholeError } from "../../../errors.ts";
import type { Clock } from "../../../util/clock.ts";
import type { RemoteAddress } from "../../types.ts";
import type { QuicheConnection } from "./binding.ts";
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

/** Bytes that one connection may send in one turn of the event loop. Then others continue, and acknowledgements come in. */
const maxBurstBytes = 64 * 1350;
const internalError = 1; // RFC 9000 section 20.1
const nothing = Buffer.alloc(0);

/** One connection's packets on their way out. */
export class Transmitter {
  readonly #options: TransmitterOptions;
  readonly #pacer: Pacer | undefined;
  #remote: RemoteAddress;
  #failure: PortholeError | undefined;
  #packets = 0;

  constructor(options: TransmitterOptions) {
    this.#options = options;
    this.#remote = options.remote;
    this.#pacer = options.isPaced ? new Pacer() : undefined;
  }

  /** The address that packets are sent to. */
  get remote(): RemoteAddress {
    return this.#remote;
  }

  /** Packets that were sent. */
  get packets(): number {
    return this.#packets;
  }

  /** Why the engine could not send any more. */
  get failure(): PortholeError | undefined {
    return this.#failure;
  }

  isTo({ address, port }: RemoteAddress): boolean {
    return port === this.#remote.port && address === this.#remote.address;
  }

  /** The peer is somewhere else now. */
  moveTo({ address, port }: RemoteAddress): void {
    this.#remote = { address, port };
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

  /** Sends everything, and returns a copy of the last packet. For a few packets that must leave now. */
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
    let sent: [number, unknown] | null;
    try {
      sent = engine.send(packet);
    } catch (cause) {
      this.#failure ??= new PortholeError("internal", `${what}: the QUIC engine can't send`, { cause });
      engine.close(false, internalError, nothing);
      return undefined;
    }
    if (!sent) return undefined;
    const [length] = sent;
    this.#packets += 1;
    sender.send(packet, length, this.#remote);
    return packet.subarray(0, length);
  }
}
