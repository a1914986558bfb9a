import { PortholeError, isErrorCode, type ErrorCode } from "../errors.ts";
import { type ControlMessage } from "../protocol/protocol.ts";
import { AsyncQueue } from "../util/async-queue.ts";
import type { Clock } from "../util/clock.ts";
import { DecayingSum } from "../util/decaying-sum.ts";
import { TokenBucket } from "../util/token-bucket.ts";
import { ControlChannel } from "./control-channel.ts";
import { Heartbeat } from "./heartbeat.ts";
import { TransportLinkStream, type LinkStreamHooks } from "./link-stream.ts";
import type { TransportConnection, TransportStream, Link, LinkKind, LinkStream, RemoteAddress } from "./types.ts";
import { limits } from "./limits.ts";

export interface LinkOptions {
  readonly clock: Clock;
  /** The client sends the heartbeat; the relay watches for it, so that 10,000 idle clients cost it one answer each. */
  readonly heartbeat: "send" | "watch";
}

/**
 * What a stream adds to the control messages that a peer may send: it may be aborted by both sides. An honest peer is far below the limit;
 * one that only wants us to be busy loses its link.
 */
const messagesPerStream = 2;

/** Gives a transport connection its meaning: control messages, heartbeat, streams whose abort is an orderly end. Takes the connection over. */
export function createLink(connection: TransportConnection, options: LinkOptions): Link {
  return new TransportLink(connection, options);
}

class TransportLink implements Link {
  readonly kind: LinkKind;
  readonly control: ControlChannel;
  readonly incoming: AsyncQueue<LinkStream>;
  readonly maxStreams: number;
  readonly closed: Promise<PortholeError>;
  readonly #connection: TransportConnection;
  readonly #budget: TokenBucket;
  readonly #streams = new Map<number, TransportLinkStream>();
  /** Aborts of streams that the transport has not handed over yet. */
  readonly #earlyAborts = new Map<number, ErrorCode>();
  #newestId = -1;
  readonly #heartbeat: Heartbeat;
  readonly #carried: DecayingSum;
  readonly #onIdle: (() => void)[] = [];
  /** The same for every stream. */
  readonly #hooks: LinkStreamHooks;

  constructor(connection: TransportConnection, options: LinkOptions) {
    this.#connection = connection;
    this.#carried = new DecayingSum(options.clock, limits.recentMs);
    this.#hooks = {
      clock: options.clock,
      onHeard: (bytes) => this.#onHeard(bytes),
      onSent: (bytes) => {
        this.#carried.add(bytes);
        this.#heartbeat.sent();
      },
      onAbort: (id, code, onSent) => this.control.send({ type: "abort", stream: id, code }, onSent),
      onGone: (id) => this.#release(id),
    };
    this.kind = connection.kind;
    this.maxStreams = connection.maxStreams;
    this.incoming = new AsyncQueue(limits.maxStreamsPerLink);
    this.#heartbeat = new Heartbeat({
      clock: options.clock,
      role: options.heartbeat,
      ping: (n) => this.control.send({ type: "ping", n }),
      rttMs: () => connection.rttMs(),
      onDead: (error) => this.destroy(error),
    });
    this.#budget = new TokenBucket(options.clock, { perSecond: limits.controlPerSecond, atOnce: limits.controlBurst });
    this.control = new ControlChannel(connection.control, {
      budget: this.#budget,
      onHeard: (bytes) => this.#onHeard(bytes),
      onLinkMessage: (message) => this.#onLinkMessage(message),
      onFailure: (error) => this.#onControlFailure(error),
    });
    this.closed = connection.closed.then((reason) => {
      this.#heartbeat.stop();
      this.control.end();
      this.incoming.end();
      return reason;
    });
    void this.#accept();
  }

  get remote(): RemoteAddress {
    return this.#connection.remote;
  }

  get peerCertificate(): Buffer | undefined {
    return this.#connection.peerCertificate;
  }

  forgetPeerCertificate(): void {
    this.#connection.peerCertificate = undefined;
  }

  openStream(): LinkStream {
    return this.#adopt(this.#connection.openStream());
  }

  get recentBytes(): number {
    return this.#carried.value;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  async idle(): Promise<void> {
    if (this.#streams.size === 0) return;
    await Promise.race([this.closed, new Promise<void>((resolve) => this.#onIdle.push(resolve))]);
  }

  rttMs(): number | undefined {
    return this.#heartbeat.rttMs();
  }

  get isSilent(): boolean {
    return this.#heartbeat.isSilent;
  }

  onSilence(listener: (isSilent: boolean) => void): () => void {
    return this.#heartbeat.onSilence(listener);
  }

  probe(): Promise<boolean> {
    return this.#heartbeat.probe();
  }

  suspect(): void {
    this.#heartbeat.suspect();
  }

  exhaustion(): number {
    return this.#connection.exhaustion?.() ?? 0;
  }

  close(reason: PortholeError): Promise<void> {
    return this.#connection.close(reason);
  }

  destroy(reason: PortholeError): void {
    this.#connection.destroy(reason);
  }

  async #accept(): Promise<void> {
    for await (const raw of this.#connection.incoming) {
      const stream = this.#adopt(raw);
      if (!this.incoming.push(stream)) stream.destroy(new PortholeError("busy", "Too many streams are waiting"));
    }
  }

  #adopt(raw: TransportStream): TransportLinkStream {
    this.#budget.add(messagesPerStream);
    const stream = new TransportLinkStream(raw, this.#hooks);
    this.#streams.set(raw.id, stream);
    this.#newestId = Math.max(this.#newestId, raw.id);
    // A stream that nobody listens to any more must not end the process; its user has a listener of its own.
    stream.on("error", () => {});
    const early = this.#earlyAborts.get(raw.id);
    if (early !== undefined && this.#earlyAborts.delete(raw.id)) stream.abortByPeer(early);
    return stream;
  }

  #onHeard(bytes: number): void {
    this.#heartbeat.heard();
    this.#carried.add(bytes);
    this.#connection.delivered?.(bytes);
  }

  #release(id: number): void {
    this.#streams.delete(id);
    if (this.#streams.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #onLinkMessage(message: Extract<ControlMessage, { type: "ping" | "pong" | "abort" }>): void {
    switch (message.type) {
      case "ping":
        this.control.send({ type: "pong", n: message.n });
        return;
      case "pong":
        this.#heartbeat.onPong(message.n);
        return;
      case "abort": {
        const code: ErrorCode = isErrorCode(message.code) ? message.code : "aborted";
        const stream = this.#streams.get(message.stream);
        if (stream) stream.abortByPeer(code);
        else if (message.stream > this.#newestId && this.#earlyAborts.size < this.maxStreams)
          this.#earlyAborts.set(message.stream, code);
        return;
      }
    }
  }

  #onControlFailure(error: PortholeError): void {
    if (error.code === "closed") void this.close(error);
    else this.destroy(error);
  }
}
