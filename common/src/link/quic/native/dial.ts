import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { PortholeError } from "../../../errors.ts";
import { orAbort, withDeadline } from "../../../util/abort.ts";
import { systemClock, type Clock } from "../../../util/clock.ts";
import { limits } from "../../limits.ts";
import type { RemoteAddress } from "../../types.ts";
import { bindError } from "../bind-error.ts";
import { deferred } from "../deferred.ts";
import { resolveRelay, trustedAuthorities, type DialQuicOptions, type QuicTransportConnection } from "../options.ts";
import { connectionIdBytes } from "../ticket.ts";
import { loadNative, type NativeEndpoint } from "./binding.ts";
import { NativeConnection, nativeEnd } from "./connection.ts";
import { dispatch } from "./events.ts";
import { isKeyError, keyError, nativeOptions } from "./options.ts";

/** Twice what a relay opens: a stream's credit comes back a round trip after its end. */
const streamCredit = 2 * limits.maxStreamsPerLink;

/** See QuicEngine.dial. */
export async function dialNative(
  options: DialQuicOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<QuicTransportConnection> {
  signal.throwIfAborted();
  const { sourceId = randomBytes(connectionIdBytes), clock = systemClock } = options;
  if (sourceId.length !== connectionIdBytes)
    throw new PortholeError("internal", `A connection id has ${connectionIdBytes} bytes, not ${sourceId.length}`);
  const what = `QUIC to ${options.host}:${options.port}`;
  const delayMs = options.handshakeTimeoutMs ?? limits.quicHandshakeMs;
  return withDeadline({ clock, delayMs, what, signal }, async (attemptSignal) => {
    const remote = await orAbort(attemptSignal, resolveRelay(options));
    return new Attempt(options, { sourceId, clock, what, remote }).run(attemptSignal);
  });
}

interface Target {
  readonly sourceId: Buffer;
  readonly clock: Clock;
  readonly what: string;
  readonly remote: RemoteAddress;
}

/** One connection with its socket. */
class Attempt {
  readonly #target: Target;
  readonly #endpoint: NativeEndpoint;
  readonly #connected = deferred<NativeConnection | PortholeError>();
  readonly #released = deferred<void>();
  #connection: NativeConnection | undefined;

  constructor(options: DialQuicOptions, target: Target) {
    this.#target = target;
    const { trust } = options;
    const name = options.serverName ?? options.host;
    // A pinned relay may have any name, and is told none.
    const serverName = trust.kind === "pinned" ? target.remote.address : name;
    const trustPem =
      trust.kind === "ca" ? (trust.pem ?? trustedAuthorities()) : trust.kind === "pinned" ? trust.pem : "";
    try {
      this.#endpoint = loadNative().NativeEndpoint.dial(
        nativeOptions(options, target.remote, streamCredit),
        { trust: trust.kind, trustPem, serverName: isIP(serverName) ? serverName : serverName.replace(/\.$/, "") },
        target.sourceId,
        () => dispatch(this.#endpoint, this),
      );
    } catch (cause) {
      if (cause instanceof PortholeError) throw cause;
      throw isKeyError(cause) ? keyError(cause) : bindError(cause, "A UDP port");
    }
  }

  async run(signal: AbortSignal): Promise<QuicTransportConnection> {
    try {
      const outcome = await orAbort(signal, this.#connected.promise);
      if (outcome instanceof PortholeError) throw outcome;
      return outcome;
    } catch (reason) {
      this.#connection?.destroy(PortholeError.from(reason));
      this.#endpoint.close();
      await this.#released.promise;
      throw reason;
    }
  }

  connection(): NativeConnection | undefined {
    return this.#connection;
  }

  onConnected(link: number): void {
    const { what, clock, remote } = this.#target;
    this.#connection = new NativeConnection({
      endpoint: this.#endpoint,
      link,
      what,
      clock,
      remote,
      peerCertificate: undefined,
      maxStreams: 0,
      onOver: () => this.#released.promise,
    });
    this.#connected.resolve(this.#connection);
  }

  onFailed(how: number, code: number): void {
    this.#connected.resolve(nativeEnd(how, code, this.#target.what));
  }

  onEndpointClosed(): void {
    this.#endpoint.release();
    this.#released.resolve();
    this.#connected.resolve(new PortholeError("closed", `${this.#target.what}: the connection ended`));
    this.#connection?.destroy(new PortholeError("internal", `${this.#target.what}: the QUIC engine failed`));
  }
}
