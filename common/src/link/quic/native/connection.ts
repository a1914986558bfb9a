import type { PortholeError as Reason } from "../../../errors.ts";
import { PortholeError } from "../../../errors.ts";
import { AsyncQueue } from "../../../util/async-queue.ts";
import type { Clock } from "../../../util/clock.ts";
import { limits } from "../../limits.ts";
import type { RemoteAddress, TransportStream } from "../../types.ts";
import { deferred } from "../deferred.ts";
import { closeCodeOf, endOf } from "../errors.ts";
import { flushed } from "../flushed.ts";
import type { QuicTransportConnection } from "../options.ts";
import { ends, type NativeEndpoint } from "./binding.ts";
import { NativeStream } from "./stream.ts";

export interface NativeConnectionOptions {
  readonly endpoint: NativeEndpoint;
  readonly link: number;
  /** Names the connection in errors. */
  readonly what: string;
  readonly clock: Clock;
  readonly remote: RemoteAddress;
  readonly peerCertificate: Buffer | undefined;
  readonly maxStreams: number;
  /** Everything that belongs to it is released when this is. Called once, with the end. */
  readonly onOver: (connection: NativeConnection) => Promise<void> | undefined;
}

const controlId = 0;
const firstOfRelay = 1;
const idStep = 4;
const figures = new Float64Array(4);

/** An established connection of the native engine. */
export class NativeConnection implements QuicTransportConnection {
  readonly kind = "quic";
  peerCertificate: Buffer | undefined;
  readonly control: NativeStream;
  readonly incoming = new AsyncQueue<TransportStream>();
  readonly maxStreams: number;
  readonly closed: Promise<Reason>;
  readonly #options: NativeConnectionOptions;
  readonly #resolveClosed: (reason: Reason) => void;
  readonly #streams = new Map<number, NativeStream>();
  /** Streams of ours that the engine has and nobody has taken: it numbers them in order. */
  readonly #reserved = new Set<number>();
  #nextId = firstOfRelay;
  #remote: RemoteAddress;
  #reason: Reason | undefined;
  #isOver = false;

  constructor(options: NativeConnectionOptions) {
    this.#options = options;
    this.#remote = options.remote;
    this.peerCertificate = options.peerCertificate;
    this.maxStreams = options.maxStreams;
    const { promise, resolve } = deferred<Reason>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.control = this.#adopt(controlId);
  }

  get remote(): RemoteAddress {
    const { endpoint, link } = this.#options;
    const now = this.maxStreams > 0 && !this.#isOver ? endpoint.remote(link) : null;
    if (now !== null) this.#remote = parseRemote(now);
    return this.#remote;
  }

  openStream(id: number = this.#nextId): TransportStream {
    const { endpoint, link, what } = this.#options;
    if (this.#isOver || this.#reason) throw new PortholeError("closed", `${what} is closed`);
    if (this.#streams.size - (this.#streams.has(controlId) ? 1 : 0) >= this.maxStreams)
      throw new PortholeError("busy", `${what} has ${this.maxStreams} streams open already`);
    for (; this.#nextId <= id; this.#nextId += idStep) {
      endpoint.openStream(link, this.#nextId);
      this.#reserved.add(this.#nextId);
    }
    if (!this.#reserved.delete(id)) throw new PortholeError("internal", `${what}: stream ${id} was opened before`);
    return this.#adopt(id);
  }

  rttMs(): number | undefined {
    const { endpoint, link } = this.#options;
    return !this.#isOver && endpoint.figures(link, figures) ? figures[0] : undefined;
  }

  async close(reason: Reason): Promise<void> {
    const { endpoint, link, clock } = this.#options;
    const deadline = clock.timer(limits.linkCloseMs, () => this.destroy(reason));
    await flushed(this.control);
    if (!this.#isOver && !this.#reason) {
      this.#reason = reason;
      this.#endStreams(reason, true);
      endpoint.closeLink(link, closeCodeOf(reason.code), true);
    }
    await this.closed;
    deadline.cancel();
  }

  destroy(reason: Reason): void {
    if (this.#isOver) return;
    this.#reason ??= reason;
    this.#options.endpoint.closeLink(this.#options.link, closeCodeOf(reason.code), false);
    this.#finish(this.#reason);
  }

  onStream(id: number): void {
    if (this.#isOver || this.#reason) return;
    this.incoming.push(this.#adopt(id));
  }

  onReadable(id: number): void {
    this.#streams.get(id)?.receive();
  }

  onWritable(id: number): void {
    this.#streams.get(id)?.send();
  }

  onRefused(id: number): void {
    const text = `${this.#options.what}: the other side takes no more streams for now`;
    this.#reserved.delete(id);
    this.#streams.get(id)?.destroy(new PortholeError("busy", text));
  }

  onClosed(how: number, code: number): void {
    const reason = this.#reason ?? nativeEnd(how, code, this.#options.what);
    this.#reason = reason;
    // What came before the end, and was read just now, has its readers first.
    setImmediate(() => this.#finish(reason));
  }

  #adopt(id: number): NativeStream {
    const { endpoint, link } = this.#options;
    const stream = new NativeStream({ endpoint, link, id, onGone: ({ id }) => this.#streams.delete(id) });
    this.#streams.set(id, stream);
    return stream;
  }

  #finish(reason: Reason): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#endStreams(reason, false);
    this.incoming.end();
    const released = this.#options.onOver(this);
    if (released) void released.then(() => this.#resolveClosed(reason));
    else this.#resolveClosed(reason);
  }

  #endStreams(reason: Reason, isOrderly: boolean): void {
    for (const stream of this.#streams.values()) if (!isOrderly || stream !== this.control) stream.detach(reason);
  }
}

/** The engine's words for an end as an error of ours. */
export function nativeEnd(how: number, errorCode: number, what: string): Reason {
  if (how === ends.failed) return new PortholeError("internal", `${what}: the QUIC engine failed`);
  const peerEnd = how === ends.peerApplication || how === ends.peerTransport;
  return endOf(
    {
      peerError: () => (peerEnd ? { isApp: how === ends.peerApplication, errorCode } : null),
      localError: () => (how === ends.local ? { isApp: false, errorCode } : null),
      isTimedOut: () => how === ends.timedOut,
    },
    what,
  );
}

/** "192.0.2.1:443" or "[2001:db8::1]:443". */
export function parseRemote(text: string): RemoteAddress {
  const colon = text.lastIndexOf(":");
  return { address: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}
