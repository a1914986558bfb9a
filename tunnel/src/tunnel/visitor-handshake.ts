import tls from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import type { LinkStream } from "@porthole/common/link";
import { alpn } from "@porthole/common/protocol";
import { destroyOnTlsError, openSslReason, type Clock } from "@porthole/common/util";
import { gatewayLimits } from "../gateway/index.ts";
import type { Endpoint } from "./endpoint.ts";

/**
 * Node destroys a TLS socket whose handshake fails at once, and what it lies on with it: the alert that says why would be overtaken by
 * the abort of the stream. This one outlives the failure, with the alert on its way, until somebody ends or destroys it.
 */
export class VisitorSocket extends tls.TLSSocket {
  /** Why no TLS could be agreed on. */
  handshakeError: Error | undefined;
  readonly #stream: LinkStream;
  readonly #onFailure: (error: Error) => void;
  #isUp = false;
  /** See VisitorStream. Node's TLS hands a single buffer to OpenSSL within the write, and copies what OpenSSL does not take. */
  readonly takesAtOnce = true;

  constructor(stream: LinkStream, options: tls.TLSSocketOptions, onFailure: (error: Error) => void) {
    super(stream, options);
    this.#stream = stream;
    this.#onFailure = onFailure;
    this.on("secure", () => {
      this.#isUp = true;
      // Only tls.Server takes this mark away, and node:http2 waits for that.
      Object.assign(this, { secureConnecting: false });
      destroyOnTlsError(this);
    });
  }

  /** What waits here, and encrypted in the stream below. */
  get unsentBytes(): number {
    return this.writableLength + this.#stream.writableLength;
  }

  override destroy(error?: Error): this {
    if (!error || this.#isUp || this.handshakeError || this.#stream.destroyed) return super.destroy(error);
    this.handshakeError = error;
    this.#onFailure(error);
    return this;
  }

  /** An orderly end: the last word gets through to the visitor, who then has a while to leave. */
  endAndLinger(clock: Clock): void {
    const timer = clock.timer(gatewayLimits.visitorCloseMs, () => {
      // With an error: a stream that has said everything would wait for a visitor who is silent.
      this.#stream.destroy(new PortholeError("timeout", "The visitor stays though all is said"));
    });
    this.on("close", () => timer.cancel());
    this.resume();
    this.end();
  }
}

/**
 * TLS with a visitor, whose stream begins with the ClientHello. Resolves when it is up; `offered` then has the protocols that the
 * visitor speaks. `started` gets the socket at once: to abort the handshake, end it.
 */
export function handshake(
  stream: LinkStream,
  endpoint: Endpoint,
  hostname: string | undefined,
  offered: string[],
  started: (socket: VisitorSocket) => void,
): Promise<VisitorSocket> {
  return new Promise((resolve, reject) => {
    const onError = (cause: Error): void =>
      reject(
        new PortholeError("closed", `No TLS could be agreed on with the visitor${openSslReason(cause)}`, { cause }),
      );
    const socket = new VisitorSocket(
      stream,
      {
        isServer: true,
        allowHalfOpen: true,
        secureContext: endpoint.contextFor(hostname),
        ALPNCallback: ({ protocols }: { protocols: string[] }) => {
          offered.push(...protocols);
          // The relay says when it is a challenge. A visitor that slips one in otherwise must not see our usual certificate.
          return protocols.includes(alpn.acmeChallenge) ? undefined : endpoint.gateway.chooseAlpn(protocols);
        },
      } as tls.TLSSocketOptions,
      onError,
    );
    started(socket);
    socket.on("secure", () => {
      socket.off("close", onEnd);
      stream.off("end", onEnd);
      resolve(socket);
    });
    socket.on("error", onError);
    const onEnd = (): void => reject(new PortholeError("closed", "The visitor left during the TLS handshake"));
    socket.on("close", onEnd);
    // Its whole visit may arrive at once, after a stall of the link; TLS would keep waiting for the rest.
    stream.on("end", onEnd);
  });
}
