// Two connections and the network between them, in memory. It has the name of a test so that it is not published.
import { randomBytes } from "node:crypto";
import type { PortholeError } from "../../../errors.ts";
import { systemClock, type Clock } from "../../../util/clock.ts";
import type { RemoteAddress } from "../../types.ts";
import { hostPort, loadBinding } from "./binding.ts";
import { defaultPacketBytes, type EngineOptions } from "../options.ts";
import { clientConfig, relayConfig } from "./config.ts";
import { Connection } from "./connection.ts";
import { deferred } from "../deferred.ts";
import { clientIdentity, relayIdentity } from "../fixture.test.ts";
import { connectionIdBytes } from "../ticket.ts";
import type { DatagramSender } from "./udp-socket.ts";
import { limits } from "../../limits.ts";

export interface MemoryPairOptions {
  /** From 0 to 1, each way. */
  readonly loss?: number;
  /** The share of packets that are damaged, that come twice and that come late. From 0 to 1, each way. */
  readonly disorder?: number;
  readonly seed?: number;
  readonly idleTimeoutMs?: number;
  /** Instead of a handshake, the relay gets this much that looks like one. */
  readonly handshakePaddingBytes?: number;
  /** A file that gets the secrets of the connection. */
  readonly keylog?: string;
}

/** What only tests ask of the engine. */
interface KeylogBinding {
  logKeys(): void;
  setKeylog(path: string): void;
}

interface Packet {
  readonly bytes: Buffer;
  readonly to: "client" | "relay";
}

const relayAddress = { address: "127.0.0.1", port: 4433 };

/** quiche reads the system's clock itself, so time is real; everything else is decided here. */
export class MemoryPair {
  readonly client: Connection;
  readonly relay: Connection;
  /** Both have done their handshake. */
  readonly established: Promise<unknown>;
  readonly clientOver: Promise<PortholeError>;
  readonly relayOver: Promise<PortholeError>;
  lost = 0;
  liveTimers = 0;
  /** The newest packet that has come to the relay's side, as it was sent. */
  lastToRelay: Buffer = Buffer.alloc(0);
  /** The same for the client's side. */
  lastToClient: Buffer = Buffer.alloc(0);
  readonly #loss: number;
  readonly #disorder: number;
  readonly #random: () => number;
  #clientAddress: RemoteAddress = { address: "127.0.0.2", port: 1111 };
  #underWay: Packet[] = [];
  #cut = false;
  #loseNext = 0;

  constructor(options: MemoryPairOptions) {
    this.#loss = options.loss ?? 0;
    this.#disorder = options.disorder ?? 0;
    this.#random = generator(options.seed ?? 1);
    const binding = loadBinding();
    const engineOptions = (identity: { cert: string; key: string }): EngineOptions => ({
      cert: identity.cert,
      key: identity.key,
      ...(options.idleTimeoutMs === undefined ? {} : { idleTimeoutMs: options.idleTimeoutMs }),
    });
    const trust = { kind: "pinned", pem: relayIdentity.cert } as const;
    const here = hostPort(this.#clientAddress);
    const there = hostPort(relayAddress);
    const clientUp = deferred<void>();
    const relayUp = deferred<void>();
    const clientOver = deferred<PortholeError>();
    const relayOver = deferred<PortholeError>();
    this.established = Promise.all([clientUp.promise, relayUp.promise]);
    this.clientOver = clientOver.promise;
    this.relayOver = relayOver.promise;
    const clock = this.#countingClock();
    const common = { clock, isPaced: true, maxStreams: limits.maxStreamsPerLink };
    const config = clientConfig(binding, engineOptions(clientIdentity), trust, "relay.example");
    if (options.keylog !== undefined) (config as unknown as KeylogBinding).logKeys();
    const engine = binding.Connection.connect(undefined, randomBytes(connectionIdBytes), here, there, config);
    if (options.keylog !== undefined) (engine as unknown as KeylogBinding).setKeylog(options.keylog);
    this.client = new Connection({
      ...common,
      engine,
      side: "client",
      what: "client",
      local: this.#clientAddress,
      remote: relayAddress,
      sender: this.#sender("relay"),
      onEstablished: clientUp.resolve,
      onOver: clientOver.resolve,
    });
    this.relay = new Connection({
      ...common,
      engine: binding.Connection.accept(
        randomBytes(connectionIdBytes),
        undefined,
        there,
        here,
        relayConfig(binding, engineOptions(relayIdentity)),
      ),
      side: "relay",
      what: "relay",
      local: relayAddress,
      remote: this.#clientAddress,
      sender: this.#sender("client"),
      onEstablished: relayUp.resolve,
      onOver: relayOver.resolve,
    });
    if (options.handshakePaddingBytes === undefined) this.client.start();
    for (let left = options.handshakePaddingBytes ?? 0; left > 0; left -= 1200)
      this.relay.receive(randomBytes(1200), this.#clientAddress);
  }

  /** A packet that the other side has not sent. */
  inject(to: "client" | "relay", packet: Buffer): void {
    if (to === "relay") this.relay.receive(packet, this.#clientAddress);
    else this.client.receive(packet, relayAddress);
  }

  /** From now on the client's packets come from here, and only here it can be reached. */
  moveClient(address: RemoteAddress): void {
    this.#clientAddress = address;
  }

  /** Nothing arrives any more. */
  cut(): void {
    this.#cut = true;
  }

  loseNext(packets: number): void {
    this.#loseNext = packets;
  }

  #sender(to: "client" | "relay"): DatagramSender {
    return {
      acquire: () => Buffer.allocUnsafe(defaultPacketBytes),
      send: (packet, length, address) => {
        const unreachable = to === "client" && address.port !== this.#clientAddress.port;
        if (this.#cut || unreachable || this.#loseNext-- > 0 || this.#random() < this.#loss) {
          this.lost += 1;
          return;
        }
        const bytes = Buffer.from(packet.subarray(0, length));
        if (to === "relay") this.lastToRelay = Buffer.from(bytes);
        else this.lastToClient = Buffer.from(bytes);
        if (this.#happens()) this.#carry({ bytes: Buffer.from(bytes), to });
        if (this.#happens()) bytes.writeUInt8(bytes.readUInt8(length >> 1) ^ 0x10, length >> 1);
        if (this.#happens()) setImmediate(() => this.#carry({ bytes, to }));
        else this.#carry({ bytes, to });
      },
      flush: () => {},
    };
  }

  #happens(): boolean {
    return this.#disorder > 0 && this.#random() < this.#disorder;
  }

  #carry(packet: Packet): void {
    if (this.#underWay.push(packet) === 1) setImmediate(() => this.#deliver());
  }

  #deliver(): void {
    const arrived = this.#underWay;
    this.#underWay = [];
    for (const { bytes, to } of arrived) {
      if (to === "relay") this.relay.receive(bytes, this.#clientAddress);
      else this.client.receive(bytes, relayAddress);
    }
  }

  #countingClock(): Clock {
    return {
      ...systemClock,
      timer: (delayMs, callback) => {
        this.liveTimers += 1;
        let live = true;
        const end = (): void => {
          if (live) this.liveTimers -= 1;
          live = false;
        };
        const timer = systemClock.timer(delayMs, () => {
          end();
          callback();
        });
        return {
          cancel: () => {
            end();
            timer.cancel();
          },
        };
      },
    };
  }
}

/** Mulberry32: the same losses in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
