import http2, { type ServerHttp2Stream } from "node:http2";
import net from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { PortholeError } from "../../errors.ts";
import { alpn } from "../../protocol/protocol.ts";
import { orAbort } from "../../util/abort.ts";
import type { TransportConnection, PeerTrust } from "../types.ts";
import { connectThroughProxy, type HttpProxy } from "./connect-proxy.ts";
import { Http2Connection, controlAuthority, sessionOptions } from "./connection.ts";
import { fromNodeError } from "./errors.ts";
import { limits } from "../limits.ts";

export interface DialHttp2Options {
  readonly host: string;
  readonly port: number;
  /** The client's certificate and key, PEM. */
  readonly cert: string;
  readonly key: string;
  readonly trust: PeerTrust;
  /** The way leads through it. */
  readonly proxy?: HttpProxy | undefined;
  /** Looks at the relay's certificate (DER) before anything is sent over it; throws to refuse. */
  verifyPeer(certificate: Buffer): void;
}

/** The client's half. Rejects with `unreachable`, `timeout`, `untrusted`, `protocol`, or the signal's reason. */
export async function dialHttp2(
  options: DialHttp2Options,
  { signal }: { readonly signal: AbortSignal },
): Promise<TransportConnection> {
  signal.throwIfAborted();
  const what = `${options.host}:${options.port}`;
  const { trust, proxy } = options;
  const raw = proxy ? await connectThroughProxy(proxy, options, signal) : undefined;
  const socket = tls.connect({
    host: options.host,
    port: options.port,
    ...(raw ? { socket: raw } : {}),
    ...(net.isIP(options.host) ? {} : { servername: options.host }),
    cert: options.cert,
    key: options.key,
    ...(trust.kind === "ca" && trust.pem !== undefined ? { ca: trust.pem } : {}),
    rejectUnauthorized: trust.kind === "ca",
    minVersion: "TLSv1.3",
    ALPNProtocols: [alpn.http2],
  });
  socket.setNoDelay(true);
  try {
    await orAbort(signal, handshake(socket));
    const certificate = socket.getPeerCertificate(false).raw as Buffer | undefined;
    if (!certificate) throw new PortholeError("protocol", `${what} presented no certificate`);
    options.verifyPeer(certificate);
    return await orAbort(signal, startSession(socket, certificate, proxy ? options : undefined));
  } catch (reason) {
    socket.destroy();
    raw?.destroy();
    throw fromNodeError(reason, what);
  }
}

function handshake(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", () => reject(new PortholeError("unreachable", "The connection ended in the TLS handshake")));
    socket.on("secureConnect", () => {
      if (socket.alpnProtocol === alpn.http2) resolve();
      else reject(new PortholeError("protocol", "Is this a Porthole relay's API port? It does not speak our HTTP/2"));
    });
  });
}

/**
 * The tunnel client takes HTTP/2's server role, so that the relay can open streams. `relay`: where the other end is, when
 * the socket leads to a proxy.
 */
function startSession(
  socket: TLSSocket,
  peerCertificate: Buffer,
  relay: { readonly host: string; readonly port: number } | undefined,
): Promise<TransportConnection> {
  const remote = relay && { address: relay.host, port: relay.port };
  return new Promise((resolve, reject) => {
    const session = http2.performServerHandshake(socket, sessionOptions);
    session.setLocalWindowSize(limits.linkWindowBytes);
    let transport: Http2Connection | undefined;
    session.on("error", reject);
    session.on("close", () => reject(new PortholeError("unreachable", "The connection ended in the HTTP/2 handshake")));
    session.on("stream", (stream: ServerHttp2Stream, headers) => {
      stream.on("error", () => {});
      stream.respond({ ":status": 200 });
      if (!transport && headers[":authority"] === controlAuthority) {
        transport = new Http2Connection({ session, socket, control: stream, peerCertificate, remote });
        resolve(transport);
      } else if (transport) {
        transport.receive(stream);
      } else {
        session.destroy(new PortholeError("protocol", "The relay opened a stream before the control stream"));
      }
    });
  });
}
