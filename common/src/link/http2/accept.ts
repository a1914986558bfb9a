import http2, { type ClientHttp2Session, type ClientHttp2Stream, type Http2Stream } from "node:http2";
import type { Socket } from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { PortholeError } from "../../errors.ts";
import { alpn } from "../../protocol/protocol.ts";
import { orAbort } from "../../util/abort.ts";
import { destroyOnTlsError } from "../../util/tls-errors.ts";
import type { RemoteAddress, TransportConnection } from "../types.ts";
import { Http2Connection, controlAuthority, sessionOptions, visitorAuthority } from "./connection.ts";
import { connectionError } from "./errors.ts";
import { limits } from "../limits.ts";

export interface AcceptHttp2Options {
  /** PEM chain and key of the relay. */
  readonly cert: string;
  readonly key: string;
  /** Looks at the client's certificate before HTTP/2 sees a byte; throws to refuse. */
  verifyPeer(certificate: Buffer): void;
}

/** The relay's half: takes connected TCP sockets and makes transports of them. */
export interface Http2Acceptor {
  /** TLS and HTTP/2 handshake. Rejects with `untrusted`, `protocol`, `unreachable` or the signal's reason; the socket is closed then. */
  accept(
    socket: Socket,
    options: { readonly remote: RemoteAddress; readonly signal: AbortSignal },
  ): Promise<TransportConnection>;
  /** For connections from now on. */
  setCertificate(cert: string, key: string): void;
}

/** Returns the relay's half. It holds nothing that must be closed. */
export function acceptHttp2(options: AcceptHttp2Options): Http2Acceptor {
  let context = secureContext(options.cert, options.key);
  return {
    setCertificate(cert, key) {
      context = secureContext(cert, key);
    },
    async accept(socket, { remote, signal }) {
      const what = `client from ${remote.address}`;
      socket.setNoDelay(true);
      // Visitors come through the same listener and may end one direction; a client that has ended is gone.
      socket.allowHalfOpen = false;
      try {
        const secure = await orAbort(signal, handshake(socket, context));
        const peerCertificate = secure.getPeerCertificate(false).raw as Buffer | undefined;
        if (!peerCertificate) throw new PortholeError("protocol", `${what} presented no certificate`);
        options.verifyPeer(peerCertificate);
        const session = await orAbort(signal, startSession(secure));
        return new Http2Connection({ session, socket: secure, remote, peerCertificate, ...relayStreams(session) });
      } catch (reason) {
        socket.destroy();
        throw connectionError(reason, what, "unreachable");
      }
    },
  };
}

/** The relay plays the client of HTTP/2, so that it can open streams. */
function relayStreams(session: ClientHttp2Session): {
  readonly control: Http2Stream;
  readonly request: () => Http2Stream;
} {
  const open = (authority: string): ClientHttp2Stream =>
    session.request({ ":method": "CONNECT", ":authority": authority }, { endStream: false });
  return { control: open(controlAuthority), request: () => open(visitorAuthority) };
}

/** No tickets and no session cache: a client proves its key on every connection (no resumption). */
function secureContext(cert: string, key: string): tls.SecureContext {
  return tls.createSecureContext({
    cert,
    key,
    minVersion: "TLSv1.3",
    secureOptions: 0x4000, // SSL_OP_NO_TICKET
  });
}

function handshake(socket: Socket, secureContext: tls.SecureContext): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const secure = new tls.TLSSocket(socket, {
      isServer: true,
      secureContext,
      requestCert: true,
      rejectUnauthorized: false,
      // Not `ALPNProtocols`: each socket would keep a copy, and with it the large block of memory that it is a piece of.
      ALPNCallback: chooseProtocol,
    });
    secure.on("error", reject);
    secure.on("close", () => reject(new PortholeError("unreachable", "The connection ended in the TLS handshake")));
    secure.on("secure", () => {
      // Only tls.Server takes this mark away, and node:http2 waits for that.
      Object.assign(secure, { secureConnecting: false });
      destroyOnTlsError(secure);
      if (secure.alpnProtocol === alpn.http2) resolve(secure);
      else reject(new PortholeError("protocol", `The client did not ask for ALPN ${alpn.http2}`));
    });
  });
}

function chooseProtocol({ protocols }: { readonly protocols: readonly string[] }): string | undefined {
  return protocols.find((protocol) => protocol === alpn.http2);
}

function startSession(socket: TLSSocket): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = http2.connect("https://client", { ...sessionOptions, createConnection: () => socket });
    session.on("error", reject);
    session.on("close", () => reject(new PortholeError("unreachable", "The connection ended in the HTTP/2 handshake")));
    // The client's settings say how many streams it takes; no stream is opened before they are here.
    session.once("remoteSettings", () => {
      session.setLocalWindowSize(limits.linkWindowBytes);
      resolve(session);
    });
  });
}
