import type { Duplex } from "node:stream";
import type { PortholeError } from "../../../errors.ts";
import type { Clock } from "../../../util/clock.ts";
import type { TransportStream, RemoteAddress } from "../../types.ts";
import type { QuicTransportConnection } from "../options.ts";
import { deferred } from "../deferred.ts";
import { flushed } from "../flushed.ts";
import type { Connection } from "./connection.ts";
import { limits } from "../../limits.ts";

const maxLastRoundTripsMs = 1_000;

export interface QuicTransportOptions {
  readonly connection: Connection;
  readonly clock: Clock;
  readonly peerCertificate: Buffer | undefined;
  /** Resolves when the connection is over and everything that belongs to it is released. */
  readonly closed: Promise<PortholeError>;
}

/** An established QUIC connection as the rest of Porthole sees it. */
export class QuicheTransportConnection implements QuicTransportConnection {
  readonly kind = "quic";
  peerCertificate: Buffer | undefined;
  readonly incoming: AsyncIterable<TransportStream>;
  readonly maxStreams: number;
  readonly closed: Promise<PortholeError>;
  readonly #connection: Connection;
  readonly #clock: Clock;

  constructor(options: QuicTransportOptions) {
    this.#connection = options.connection;
    this.#clock = options.clock;
    this.peerCertificate = options.peerCertificate;
    this.incoming = options.connection.incoming;
    this.maxStreams = options.connection.maxStreams;
    this.closed = options.closed;
  }

  get remote(): RemoteAddress {
    const { address, port } = this.#connection.remote;
    // A socket for both families shows IPv4 in IPv6's clothes.
    return { address: address.replace(/^::ffff:(?=\d+\.)/, ""), port };
  }

  get control(): Duplex {
    return this.#connection.control;
  }

  /** `id`: chosen by the caller, one that was not used before. */
  openStream(id?: number): TransportStream {
    return this.#connection.openStream(id);
  }

  rttMs(): number | undefined {
    return this.#connection.rttMs();
  }

  exhaustion(): number {
    return this.#connection.exhaustion();
  }

  async close(reason: PortholeError): Promise<void> {
    const deadline = this.#clock.timer(limits.linkCloseMs, () => this.#connection.destroy(reason));
    await flushed(this.control);
    await this.#lastRoundTrips();
    this.#connection.close(reason);
    await this.closed;
    deadline.cancel();
  }

  destroy(reason: PortholeError): void {
    this.#connection.destroy(reason);
  }

  /** The path may be full of streams' data. The engine does not say what has left, and drops the rest with the connection. */
  async #lastRoundTrips(): Promise<void> {
    if (this.#connection.openStreams === 0) return;
    const waitMs = Math.min(2 * (this.rttMs() ?? 0), maxLastRoundTripsMs);
    const waited = deferred<void>();
    const timer = this.#clock.timer(waitMs, waited.resolve);
    await Promise.race([waited.promise, this.closed]);
    timer.cancel();
  }
}
