import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { AsyncQueue } from "@porthole/common/util";
import { linkLimits, type RemoteAddress, type TransportConnection, type TransportStream } from "@porthole/common/link";
import { memoryPipe } from "./memory-pipe.ts";

interface MemoryPairOptions {
  readonly relayCertificate?: Buffer;
  readonly clientCertificate?: Buffer;
  readonly maxStreams?: number;
  /** Where the relay sees the client. */
  readonly clientAddress?: string;
}

const nowhere: RemoteAddress = { address: "127.0.0.1", port: 0 };

/** Both ends of a connection that never leaves the process. The relay's end opens streams, as with the other transports. */
export function memoryConnectionPair(options: MemoryPairOptions = {}): {
  relay: TransportConnection;
  client: TransportConnection;
} {
  const [relayControl, clientControl] = memoryPipe();
  const maxStreams = options.maxStreams ?? linkLimits.maxStreamsPerLink;
  const relay = new MemoryConnection(relayControl, maxStreams, options.clientCertificate);
  const client = new MemoryConnection(clientControl, maxStreams, options.relayCertificate);
  if (options.clientAddress !== undefined) relay.remote = { address: options.clientAddress, port: 0 };
  relay.connect(client);
  client.connect(relay);
  return { relay, client };
}

class MemoryConnection implements TransportConnection {
  readonly kind = "http2";
  remote = nowhere;
  readonly control: Duplex;
  readonly maxStreams: number;
  peerCertificate: Buffer | undefined;
  readonly incoming = new AsyncQueue<TransportStream>();
  readonly closed: Promise<PortholeError>;
  readonly #streams = new Set<TransportStream>();
  #resolveClosed: (reason: PortholeError) => void = () => {};
  #peer: MemoryConnection | undefined;
  #nextId = 1;
  #over = false;

  constructor(control: Duplex, maxStreams: number, peerCertificate: Buffer | undefined) {
    this.control = control;
    this.maxStreams = maxStreams;
    this.peerCertificate = peerCertificate;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  connect(peer: MemoryConnection): void {
    this.#peer = peer;
  }

  openStream(): TransportStream {
    if (this.#over || !this.#peer) throw new PortholeError("closed", "The link is closed");
    if (this.#streams.size >= this.maxStreams)
      throw new PortholeError("busy", `The link has ${this.maxStreams} streams open already`);
    const id = this.#nextId++;
    const [here, there] = memoryPipe();
    const mine = this.#own(here, id);
    const theirs = this.#peer.#own(there, id);
    this.#peer.incoming.push(theirs);
    return mine;
  }

  rttMs(): number | undefined {
    return undefined;
  }

  async close(reason: PortholeError): Promise<void> {
    if (!this.#over && this.control.writable) {
      await new Promise<void>((resolve) => {
        this.control.write("", () => resolve());
      });
    }
    this.destroy(reason);
    await this.closed;
  }

  destroy(reason: PortholeError): void {
    if (this.#over) return;
    this.#over = true;
    // The peer learns of it a turn later, as it would over a network.
    setImmediate(() => this.#peer?.destroy(reason));
    for (const stream of this.#streams) stream.destroy(reason);
    this.control.destroy();
    this.incoming.end();
    this.#resolveClosed(reason);
  }

  #own(stream: Duplex, id: number): TransportStream {
    const owned = Object.assign(stream, { id });
    this.#streams.add(owned);
    owned.on("error", () => {});
    owned.on("close", () => this.#streams.delete(owned));
    return owned;
  }
}
