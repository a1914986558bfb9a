import { PortholeError } from "../../../errors.ts";
import type { AsyncQueue } from "../../../util/async-queue.ts";
import type { TransportStream, RemoteAddress } from "../../types.ts";
import { hostPort, type HostPort, type QuicheConnection } from "./binding.ts";
import { closeCodeOf, endOf } from "../errors.ts";
import { fromStreamFailure } from "./stream-failure.ts";
import { ClosePacket } from "./close-packet.ts";
import { EngineTimer } from "./engine-timer.ts";
import { LinkLife } from "./link-life.ts";
import { datagramsPerLook, maxHandshakeBytes, PayloadBudget } from "./payload-budget.ts";
import { RareFrames } from "./rare-frames.ts";
import type { QuicStream, StreamHooks } from "./stream.ts";
import { controlId, StreamTable } from "./stream-table.ts";
import { Transmitter, type TransmitterOptions } from "./transmitter.ts";
import { WriteQueue } from "./write-queue.ts";

export interface ConnectionOptions extends TransmitterOptions {
  readonly side: "client" | "relay";
  readonly local: RemoteAddress;
  /** Streams of ours at once. */
  readonly maxStreams: number;
  /** The handshake is over; no stream has been read yet. May destroy the connection. */
  readonly onEstablished: () => void;
  /** Once, at the end, when all streams are destroyed and no timer is left. */
  readonly onOver: (reason: PortholeError) => void;
}

/** A stream exists for the peer from its first byte on, and the relay may want to write first. So the client begins with this. */
const controlPreamble = Buffer.alloc(1);
const nothing = Buffer.alloc(0);

/**
 * One QUIC connection: datagrams in, datagrams out, streams. The engine has no threads and no sockets; this class calls it
 * once a turn of the event loop for all that the turn has brought, because a call costs more than what it does:
 * datagrams are fed as they come, then (in setImmediate) streams are read, then (in the next tick, so that what the readers
 * write at once is in) writes are handed over and packets leave.
 */
export class Connection {
  readonly maxStreams: number;
  readonly #engine: QuicheConnection;
  readonly #options: ConnectionOptions;
  readonly #streams: StreamTable;
  readonly #timer: EngineTimer;
  readonly #close: ClosePacket;
  readonly #writes = new WriteQueue();
  readonly #resumed = new Set<QuicStream>();
  readonly #transmitter: Transmitter;
  readonly #budget = new PayloadBudget();
  readonly #rareFrames = new RareFrames();
  /**
   * For the engine all packets come the same way, and the transmitter follows the peer. quiche 0.18 takes a packet from
   * elsewhere for a new path, and what is under way on the old one is never sent again: an acknowledgement finds losses only
   * on paths that it acknowledges something of. A stream whose first packet met a NAT's old port would never exist.
   */
  readonly #arrival: { readonly from: HostPort; readonly to: HostPort };
  #isPaced = false;
  #nextId: number;
  #phase: "handshake" | "open" | "closing" | "over" = "handshake";
  #reason: PortholeError | undefined;
  #scheduled = false;
  #received = false;
  #handshakeBytes = 0;
  readonly #life: LinkLife;
  #datagrams = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#engine = options.engine;
    this.#transmitter = new Transmitter(options);
    this.#close = new ClosePacket(this.#engine, this.#transmitter);
    this.#life = new LinkLife(options.clock);
    this.maxStreams = options.maxStreams;
    this.#arrival = { from: hostPort(options.remote), to: hostPort(options.local) };
    // The two lowest bits of an id tell who opened it (RFC 9000 section 2.1); the client's next one after control is 4.
    this.#nextId = options.side === "relay" ? 1 : 4;
    this.#streams = new StreamTable(this.#engine, this.#hooks, {
      firstOfPeer: options.side === "relay" ? 4 : 1,
      onDiscard: (bytes) => this.#budget.delivered(bytes),
    });
    this.#timer = new EngineTimer(this.#engine, options.clock, () => this.#onTimer());
  }

  get control(): QuicStream {
    return this.#streams.control;
  }

  /** Streams that the peer has opened. */
  get incoming(): AsyncQueue<TransportStream> {
    return this.#streams.incoming;
  }

  /** The peer's present address. */
  get remote(): RemoteAddress {
    return this.#transmitter.remote;
  }

  /** Streams in use, the control stream not counted. */
  get openStreams(): number {
    return this.#streams.openCount;
  }

  /** See TransportConnection.exhaustion. */
  exhaustion(): number {
    return this.#life.exhaustion(Math.max(this.#datagrams, this.#transmitter.packets));
  }

  /** Sends the client's first packet. */
  start(): void {
    this.#flush();
  }

  receive(datagram: Buffer, from: RemoteAddress): void {
    if (this.#phase === "over") return;
    this.#datagrams += 1;
    if (this.#phase === "closing") return this.#close.repeat();
    if (this.#phase === "handshake" && (this.#handshakeBytes += datagram.length) > maxHandshakeBytes)
      return this.destroy(new PortholeError("limit", `${this.#options.what}: the handshake is too long`));
    const isElsewhere = this.#phase === "open" && !this.#transmitter.isTo(from);
    const isChecked = isElsewhere || this.#rareFrames.isSuspicious;
    const before = isChecked ? this.#engine.stats().recv : 0;
    try {
      this.#engine.recv(datagram, this.#arrival);
    } catch {
      // The engine has closed the connection, and says why in localError().
    }
    // The engine counts what it could decrypt and had not seen before: neither forged nor copied.
    const isGenuine = isChecked && this.#engine.stats().recv > before;
    if (isElsewhere && isGenuine) this.#transmitter.moveTo(from);
    if (this.#phase === "open") this.#rareFrames.see(datagram, isGenuine);
    const isLook = this.#datagrams % datagramsPerLook === 0;
    if (this.#rareFrames.isExceeded || (isLook && this.#budget.isExceeded(this.#engine.stats())))
      return this.destroy(
        new PortholeError("limit", `${this.#options.what}: the other side sends too much beside data`),
      );
    this.#received = true;
    this.#schedule();
  }

  /** `id`: one of our own kind that was not used before, in any order; the next one if absent. Throws `busy` or `closed`. */
  openStream(id: number = this.#nextId): QuicStream {
    if (this.#phase !== "open") throw new PortholeError("closed", `${this.#options.what} is closed`);
    if (this.openStreams >= this.maxStreams)
      throw new PortholeError("busy", `${this.#options.what} has ${this.maxStreams} streams open already`);
    try {
      // Makes the stream, and takes its credit, without sending anything yet.
      this.#engine.streamSend(id, nothing, false);
    } catch (reason) {
      throw fromStreamFailure(reason, this.#options.what);
    }
    this.#nextId = Math.max(this.#nextId, id + 4);
    return this.#streams.adopt(id);
  }

  /** The round trip of the path in use, smoothed. */
  rttMs(): number | undefined {
    if (this.#phase !== "open") return undefined;
    return this.#engine.pathStats().find(({ active }) => active)?.rtt;
  }

  /** Destroys the streams, tells the peer, and keeps telling it for three round trips or so, as RFC 9000 section 10.2 asks. */
  close(reason: PortholeError): void {
    if (this.#phase === "closing" || this.#phase === "over") return;
    this.#sayClose(reason);
    if (this.#engine.isClosed()) this.#finish();
    else this.#timer.arm(this.#isPaced);
  }

  /** Tells the peer once, and is over. */
  destroy(reason: PortholeError): void {
    if (this.#phase === "over") return;
    if (this.#phase !== "closing") this.#sayClose(reason);
    this.#finish();
  }

  readonly #hooks: StreamHooks = {
    onWritable: (stream) => {
      this.#writes.add(stream);
      this.#schedule();
    },
    onReadable: (stream) => {
      this.#resumed.add(stream);
      this.#schedule();
    },
    onRead: (bytes) => this.#budget.delivered(bytes),
    onGone: (stream) => {
      this.#streams.delete(stream);
      if (!stream.isComplete) this.#life.abortedStreams += 1;
      this.#resumed.delete(stream);
      // What it had not read yet is read and dropped, or its credit would never come back.
      this.#received = true;
      this.#schedule();
    },
  };

  #schedule(): void {
    if (this.#scheduled || this.#phase === "closing" || this.#phase === "over") return;
    this.#scheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#phase === "closing" || this.#phase === "over") return;
    if (this.#received) {
      this.#received = false;
      this.#establish();
      if (this.#phase === "open") this.#readAll();
      this.#writes.unblock();
    }
    for (const stream of this.#resumed) {
      this.#resumed.delete(stream);
      stream.receive();
    }
    process.nextTick(this.#flush);
  };

  readonly #flush = (): void => {
    this.#scheduled = false;
    if (this.#phase === "closing" || this.#phase === "over") return;
    this.#writes.run();
    const burst = this.#transmitter.burst();
    this.#isPaced = burst === "paced";
    // Between the turn and this flush a reader may have asked for more, or gone, and packets may have come.
    const isUnread = this.#resumed.size > 0 || this.#received;
    if (burst === "more" || isUnread) this.#schedule();
    // The last message before a close has a reader who is about to come. Draining has an end.
    const isDone = this.#engine.isDraining() && !(this.#streams.hasControl && this.#engine.streamReadable(controlId));
    if (!isDone && !this.#engine.isClosed()) this.#timer.arm(this.#isPaced);
    else if (!isUnread) this.#finish();
  };

  #establish(): void {
    if (this.#phase !== "handshake" || !this.#engine.isEstablished()) return;
    this.#phase = "open";
    if (this.#options.side === "client")
      this.#beginControl(() => this.#engine.streamSend(controlId, controlPreamble, false));
    if (this.#phase === "open") this.#options.onEstablished();
  }

  #beginControl(preamble: () => unknown): void {
    try {
      this.#streams.beginControl(preamble);
    } catch (cause) {
      this.destroy(new PortholeError("protocol", `${this.#options.what}: there is no control stream`, { cause }));
    }
  }

  #readAll(): void {
    // On an idle connection only the control stream has anything, and asking for all that do is expensive.
    if (this.control.exists && this.#streams.hasControl && this.#engine.streamReadable(controlId))
      this.control.receive();
    if (!this.#engine.isReadable()) return;
    for (const id of this.#engine.readable()) {
      if (id === controlId && !this.control.exists)
        this.#beginControl(() => this.#engine.streamRecv(controlId, Buffer.allocUnsafe(controlPreamble.length)));
      if (this.#phase !== "open") return;
      this.#streams.receive(id);
    }
  }

  #sayClose(reason: PortholeError): void {
    this.#reason ??= reason;
    if (this.#phase === "open") {
      this.#writes.run();
      this.#transmitter.burst();
    }
    this.#phase = "closing";
    this.#endStreams();
    this.#engine.close(true, closeCodeOf(reason.code), nothing);
    this.#close.send();
  }

  #finish(): void {
    this.#phase = "over";
    this.#timer.cancel();
    this.#options.onOver(this.#endStreams());
  }

  #endStreams(): PortholeError {
    this.#reason ??= this.#transmitter.failure ?? endOf(this.#engine, this.#options.what);
    this.#streams.end(this.#reason);
    return this.#reason;
  }

  #onTimer(): void {
    this.#engine.onTimeout();
    if (this.#phase === "closing") {
      if (!this.#close.isSent) this.#close.send();
      if (this.#engine.isClosed()) this.#finish();
      else this.#timer.arm(this.#isPaced);
      return;
    }
    // Loss opens no window, but a probe may carry what waits.
    this.#writes.unblock();
    // The turn that is scheduled, if there is one, still comes.
    const scheduled = this.#scheduled;
    this.#flush();
    this.#scheduled ||= scheduled;
  }
}
