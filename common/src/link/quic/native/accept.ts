import { isIPv6 } from "node:net";
import { PortholeError } from "../../../errors.ts";
import { alpn } from "../../../protocol/protocol.ts";
import { AsyncQueue } from "../../../util/async-queue.ts";
import { systemClock } from "../../../util/clock.ts";
import { limits } from "../../limits.ts";
import type { RemoteAddress } from "../../types.ts";
import { bindError } from "../bind-error.ts";
import { deferred } from "../deferred.ts";
import {
  checkIdentity,
  noDrops,
  type AcceptQuicOptions,
  type DropReason,
  type QuicAcceptor,
  type QuicAcceptorStats,
  type QuicTransportConnection,
} from "../options.ts";
import { connectionIdBytes, isTicketOfHolder, type TicketKey } from "../ticket.ts";
import { loadNative, type NativeEndpoint, type NativeTicketKey } from "./binding.ts";
import { NativeConnection, parseRemote } from "./connection.ts";
import { dispatch } from "./events.ts";
import { nativeLimits } from "./limits.ts";
import { isKeyError, keyError, nativeOptions } from "./options.ts";

/** The order of the engine's counters. */
const dropReasons: readonly DropReason[] = [
  "port-0",
  "no-connection",
  "malformed",
  "short-initial",
  "no-ticket",
  "ticket-expired",
  "ticket-elsewhere",
  "ticket-used",
  "bad-token",
  "handshakes",
  "rate",
];
const ownCounters = 5;
const counters = new Float64Array(ownCounters + dropReasons.length);
const certificateBytes = Buffer.allocUnsafeSlow(nativeLimits.maxCertificate);

/** See QuicEngine.accept. */
export async function acceptNative(
  options: AcceptQuicOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<QuicAcceptor> {
  signal.throwIfAborted();
  return new NativeAcceptor(options);
}

class NativeAcceptor implements QuicAcceptor {
  readonly incoming = new AsyncQueue<QuicTransportConnection>(nativeLimits.maxWaiting);
  readonly address: RemoteAddress;
  readonly lost: Promise<PortholeError>;
  readonly #options: AcceptQuicOptions;
  readonly #endpoint: NativeEndpoint;
  readonly #connections = new Map<number, NativeConnection>();
  readonly #released = deferred<void>();
  readonly #resolveLost: (reason: PortholeError) => void;
  #ticketKeys: readonly TicketKey[] | undefined;
  #isClosing = false;

  constructor(options: AcceptQuicOptions) {
    this.#options = options;
    this.#ticketKeys = options.ticketKeys;
    const { promise, resolve } = deferred<PortholeError>();
    this.lost = promise;
    this.#resolveLost = resolve;
    const { address, port, maxHandshakes = nativeLimits.maxHandshakes } = options;
    try {
      this.#endpoint = loadNative().NativeEndpoint.listen(
        // The control stream, and nothing else.
        nativeOptions(options, { address, port }, 1),
        maxHandshakes,
        Math.min(maxHandshakes, nativeLimits.maxHandshakesPerAddress),
        nativeKeys(options.ticketKeys),
        () => dispatch(this.#endpoint, this),
      );
    } catch (cause) {
      if (cause instanceof PortholeError) throw cause;
      throw isKeyError(cause) ? keyError(cause) : bindError(cause, `UDP ${address}:${port}`);
    }
    this.address = { address: this.#endpoint.address, port: this.#endpoint.port };
  }

  setCertificate(cert: string, key: string): void {
    checkIdentity({ cert, key });
    try {
      this.#endpoint.setCertificate(cert, key, alpn.quic);
    } catch (cause) {
      throw keyError(cause);
    }
  }

  setTicketKeys(keys: readonly TicketKey[]): void {
    if (!this.#ticketKeys) return;
    this.#ticketKeys = keys;
    this.#endpoint.setTicketKeys(nativeKeys(keys));
  }

  stats(): QuicAcceptorStats {
    this.#endpoint.counters(counters);
    const [connections = 0, handshakes = 0, accepted = 0, answered = 0, sendFailures = 0, ...drops] = counters;
    const dropped = { ...noDrops, ...Object.fromEntries(dropReasons.map((reason, at) => [reason, drops[at] ?? 0])) };
    return { connections, handshakes, accepted, answered, dropped, sendFailures };
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const reason = new PortholeError("closed", "The relay has closed its QUIC port");
    for (const connection of this.#connections.values()) connection.destroy(reason);
    this.incoming.end();
    this.#endpoint.close();
    await this.#released.promise;
  }

  connection(link: number): NativeConnection | undefined {
    return this.#connections.get(link);
  }

  onConnected(link: number): void {
    const endpoint = this.#endpoint;
    const remote = parseRemote(endpoint.remote(link) ?? ":0");
    const what = `QUIC from ${isIPv6(remote.address) ? `[${remote.address}]` : remote.address}:${remote.port}`;
    const length = endpoint.takeCertificate(link, certificateBytes);
    const peerCertificate = Buffer.from(certificateBytes.subarray(0, length));
    const connection = new NativeConnection({
      endpoint,
      link,
      what,
      clock: this.#options.clock ?? systemClock,
      remote,
      peerCertificate,
      maxStreams: limits.maxStreamsPerLink,
      onOver: () => {
        this.#connections.delete(link);
        endpoint.forgetLink(link);
        return undefined;
      },
    });
    this.#connections.set(link, connection);
    if (length === 0) connection.destroy(new PortholeError("protocol", `${what}: no certificate that can be read`));
    else if (!this.#isHolder(link, peerCertificate))
      connection.destroy(new PortholeError("unauthorized", `${what}: the ticket is for another key`));
    else if (this.#isClosing || !this.incoming.push(connection))
      connection.destroy(new PortholeError("busy", "Too many clients at once"));
  }

  /** A handshake that failed: the client has been told. */
  onFailed(): void {}

  onEndpointClosed(): void {
    this.#endpoint.release();
    this.#released.resolve();
    if (this.#isClosing) return;
    const reason = new PortholeError("internal", "The QUIC engine has lost its port");
    for (const connection of this.#connections.values()) connection.destroy(reason);
    this.incoming.end();
    this.#resolveLost(reason);
  }

  #isHolder(link: number, certificate: Buffer): boolean {
    if (!this.#ticketKeys) return true;
    const ticket = Buffer.allocUnsafe(connectionIdBytes);
    return this.#endpoint.ticket(link, ticket) && isTicketOfHolder(this.#ticketKeys, ticket, certificate);
  }
}

function nativeKeys(keys: readonly TicketKey[] | undefined): NativeTicketKey[] | undefined {
  return keys?.map(({ id, sinceMs, secret }) => ({ id, sinceMs, secret: Buffer.from(secret).toString("hex") }));
}
