import http2, { type Http2Session, type Http2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { PortholeError } from "../../errors.ts";
import { AsyncQueue } from "../../util/async-queue.ts";
import type { TransportConnection, TransportStream, RemoteAddress } from "../types.ts";
import { connectionError } from "./errors.ts";
import { FrameBudget } from "./frame-budget.ts";
import { limits } from "../limits.ts";

/** HTTP/2 settings and memory bounds of both ends. The client's end (the HTTP/2 server) is the one that receives streams. */
export const sessionOptions = {
  settings: {
    enablePush: false,
    initialWindowSize: limits.streamWindowBytes,
    // The control stream is one of them.
    maxConcurrentStreams: limits.maxStreamsPerLink + 1,
    maxFrameSize: 65_536,
  },
  // Megabytes. Frames that wait for a slow socket count; windows bound what can wait.
  maxSessionMemory: 64,
} as const;

/** The pseudo-path that distinguishes the control stream from visitors: RFC 9113 section 8.5 leaves `:authority` of CONNECT to us. */
export const controlAuthority = "control";
export const visitorAuthority = "visitor";

interface Parts {
  readonly session: Http2Session;
  readonly socket: TLSSocket;
  readonly control: Duplex;
  readonly peerCertificate: Buffer | undefined;
  /** The peer's address. Defaults to the socket's. */
  readonly remote?: RemoteAddress | undefined;
  /** Only at the relay. */
  readonly request?: (() => Http2Stream) | undefined;
}

/** A TransportConnection over one HTTP/2 session (RFC 9113). It owns the session and the socket. */
export class Http2Connection implements TransportConnection {
  readonly kind = "http2";
  readonly remote: RemoteAddress;
  peerCertificate: Buffer | undefined;
  readonly control: Duplex;
  readonly incoming = new AsyncQueue<TransportStream>();
  readonly maxStreams: number;
  readonly closed: Promise<PortholeError>;
  readonly #session: Http2Session;
  readonly #socket: TLSSocket;
  readonly #request: (() => Http2Stream) | undefined;
  readonly #budget: FrameBudget;
  #openStreams = 0;
  #isLeaving = false;
  #reason: PortholeError | undefined;

  constructor(parts: Parts) {
    const { session, socket } = parts;
    this.#session = session;
    this.#socket = socket;
    this.#request = parts.request;
    this.control = parts.control;
    this.peerCertificate = parts.peerCertificate;
    this.remote = parts.remote ?? { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
    this.maxStreams = Math.min(limits.maxStreamsPerLink, (session.remoteSettings.maxConcurrentStreams ?? 1) - 1);
    const what = `HTTP/2 link with ${this.remote.address}`;
    session.on("error", (reason) => {
      this.#reason ??= connectionError(reason, what, "closed");
    });
    this.#budget = new FrameBudget(
      () => socket.bytesRead,
      () => this.#openStreams,
      () => this.destroy(new PortholeError("limit", `${what}: the other side sends frames that carry nothing`)),
    );
    session.on("goaway", (code) =>
      this.#onGoaway(new PortholeError("closed", `${what}: the other side went away (HTTP/2 code ${code})`)),
    );
    // Neither has a meaning between us, and node:http2 calls back for each.
    const foreign = (): void =>
      this.destroy(new PortholeError("protocol", `${what}: ALTSVC and ORIGIN are not for links`));
    session.on("altsvc", foreign);
    session.on("origin", foreign);
    this.closed = new Promise((resolve) => {
      session.on("close", () => {
        this.#budget.stop();
        this.incoming.end();
        socket.destroy();
        resolve(this.#reason ?? new PortholeError("closed", `${what}: the connection ended`));
      });
    });
    this.control.on("error", () => {});
  }

  /** A stream that the peer opened. */
  receive(stream: Http2Stream): void {
    this.incoming.push(this.#own(stream));
  }

  openStream(): TransportStream {
    if (!this.#request || this.#session.closed || this.#session.destroyed)
      throw new PortholeError("closed", "The link is closed");
    if (this.#openStreams >= this.maxStreams)
      throw new PortholeError("busy", `The link has ${this.maxStreams} streams open already`);
    return this.#own(this.#request());
  }

  delivered(bytes: number): void {
    this.#budget.delivered(bytes);
  }

  rttMs(): number | undefined {
    return undefined;
  }

  async close(reason: PortholeError): Promise<void> {
    this.#reason ??= reason;
    if (!this.#session.destroyed) {
      // Ending the control stream flushes what is written on it; then nothing of ours is left to say.
      const timer = setTimeout(() => this.destroy(reason), limits.linkCloseMs);
      this.control.end(() => {
        // The other side may have gone in the meantime.
        if (this.#session.destroyed) return;
        this.#session.goaway(http2.constants.NGHTTP2_NO_ERROR);
        this.#socket.end(() => this.#whenPeerIsDone(() => this.destroy(reason)));
      });
      await this.closed;
      clearTimeout(timer);
    }
    await this.closed;
  }

  destroy(reason: PortholeError): void {
    this.#reason ??= reason;
    // Without a code the streams would seem to have ended in order.
    this.#session.destroy(undefined, http2.constants.NGHTTP2_CANCEL);
    this.#socket.destroy();
  }

  /** A peer says it once, after its last control message: the link ends within `linkCloseMs`. */
  #onGoaway(reason: PortholeError): void {
    if (this.#isLeaving) return this.destroy(reason);
    this.#isLeaving = true;
    void this.close(reason);
  }

  /**
   * When both ends close at the same time, Node's session sometimes keeps the end of the socket to itself and never closes.
   * A peer that has ended its control stream, too, has nothing more to say.
   */
  #whenPeerIsDone(callback: () => void): void {
    if (this.control.readableEnded || this.control.destroyed) callback();
    else this.control.once("close", callback);
  }

  #own(stream: Http2Stream): TransportStream {
    this.#openStreams += 1;
    stream.on("close", () => {
      this.#openStreams -= 1;
    });
    stream.on("error", () => {});
    // Ids are assigned as soon as the session is connected, and a transport exists only then.
    return stream as Http2Stream & { id: number };
  }
}
