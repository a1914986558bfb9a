import net from "node:net";
import { PortholeError } from "@porthole/common/errors";
import type { TransportConnection, TransportStream, RemoteAddress } from "@porthole/common/link";
import { AsyncQueue, type Clock, type Timer } from "@porthole/common/util";
import type { ControlWire } from "./control-wire.ts";
import { FramedStream } from "./framed-stream.ts";
import { encodeStreamHead, type ToWorker } from "./wire.ts";
import { WiredControl } from "./wired-control.ts";
import { linkLimits } from "@porthole/common/link";

/** The QUIC worker's report about a client. */
export interface WorkerClient {
  readonly peerCertificate: Buffer;
  readonly remote: RemoteAddress;
  readonly maxStreams: number;
}

export interface WorkerConnectionOptions {
  readonly link: number;
  readonly socketPath: string;
  readonly wire: ControlWire;
  readonly clock: Clock;
  readonly send: (message: ToWorker) => void;
}

/** The relay opens streams with ids 1, 5, 9 ...: RFC 9000 section 2.1. */
const firstStreamId = 1;
const streamIdStep = 4;
const maxStreamId = 0xffff_ffff;

/**
 * A QUIC link as the relay has it: the engine is in the QUIC worker, and each visitor's stream is a local socket to there. The ids are given
 * here, so that opening a stream takes no round trip. It is over when the QUIC worker reports so, or is gone.
 */
export class WorkerConnection implements TransportConnection {
  readonly kind = "quic";
  peerCertificate: Buffer | undefined;
  readonly control: WiredControl;
  /** A client opens none. */
  readonly incoming = new AsyncQueue<TransportStream>();
  readonly maxStreams: number;
  readonly closed: Promise<PortholeError>;
  remote: RemoteAddress;
  readonly #options: WorkerConnectionOptions;
  readonly #streams = new Set<FramedStream & { readonly id: number }>();
  #nextId = firstStreamId;
  #reason: PortholeError | undefined;
  #isOver = false;
  #deadline: Timer | undefined;
  #resolveClosed: (reason: PortholeError) => void = () => {};

  constructor(client: WorkerClient, options: WorkerConnectionOptions) {
    this.#options = options;
    this.peerCertificate = client.peerCertificate;
    this.remote = client.remote;
    this.maxStreams = client.maxStreams;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.control = new WiredControl(options.wire, options.link);
  }

  openStream(): TransportStream {
    if (this.#isOver || this.#reason) throw new PortholeError("closed", "The link is closed");
    if (this.#streams.size >= this.maxStreams)
      throw new PortholeError("busy", `The link has ${this.maxStreams} streams open already`);
    if (this.#nextId > maxStreamId) throw new PortholeError("busy", "The link is used up");
    const id = this.#nextId;
    this.#nextId += streamIdStep;
    const stream = Object.assign(this.#connect(id), { id });
    this.#streams.add(stream);
    stream.on("close", () => this.#streams.delete(stream));
    return stream;
  }

  /** The visitor of this stream has to go: others could not be served otherwise. */
  giveUp(id: number): void {
    const reason = "The link holds too much for visitors who do not read";
    for (const stream of this.#streams) if (stream.id === id) stream.destroy(new PortholeError("limit", reason));
  }

  /** The QUIC worker doesn't tell; the heartbeat finds out. */
  rttMs(): number | undefined {
    return undefined;
  }

  async close(reason: PortholeError): Promise<void> {
    if (!this.#isOver && !this.#reason) {
      this.#reason = reason;
      this.#deadline = this.#options.clock.timer(linkLimits.linkCloseMs, () => this.destroy(reason));
      this.#options.send({ type: "close", link: this.#options.link, code: reason.code, message: reason.message });
      // The QUIC worker closes the connection when it has read to here.
      this.control.end();
    }
    await this.closed;
  }

  destroy(reason: PortholeError): void {
    if (this.#isOver) return;
    this.#options.send({ type: "destroy", link: this.#options.link, code: reason.code, message: reason.message });
    this.end(reason);
  }

  /** The connection, or the QUIC worker, is gone. */
  end(reason: PortholeError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline?.cancel();
    const why = (this.#reason ??= reason);
    this.control.destroy();
    this.incoming.end();
    for (const stream of this.#streams) stream.destroy(why);
    this.#resolveClosed(why);
  }

  #connect(stream: number): FramedStream {
    const { link, socketPath } = this.#options;
    const socket = net.connect({ path: socketPath, allowHalfOpen: true });
    socket.write(encodeStreamHead({ link, stream }));
    const framed = new FramedStream(socket);
    // Its user has a listener of its own; one that nobody has taken yet must not end the process.
    framed.on("error", () => {});
    return framed;
  }
}
