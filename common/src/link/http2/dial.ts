import http2, { type ServerHttp2Stream } from "node:http2";
import net from "node:net";
import tls, { type TLSSocket } from "node:tls";
import { PortholeError } from "../../errors.ts";
import { alpn } from "../../protocol/protocol.ts";
import { orAbort } from "../../util/abort.ts";
import { dialError, goneError, libraryCode, noRelayError } from "../dial-errors.ts";
import type { TransportConnection, PeerTrust } from "../types.ts";
import { connectThroughProxy, type HttpProxy } from "./connect-proxy.ts";
import { Http2Connection, controlAuthority, sessionOptions } from "./connection.ts";
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

/** The client's half. Rejects with `unreachable`, `timeout`, `busy`, `untrusted`, `usage`, `protocol`, or the signal's reason. */
export async function dialHttp2(
  options: DialHttp2Options,
  { signal }: { readonly signal: AbortSignal },
): Promise<TransportConnection> {
  signal.throwIfAborted();
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
    await orAbort(signal, handshake(socket, options));
    const certificate = socket.getPeerCertificate(false).raw as Buffer | undefined;
    if (!certificate) throw new PortholeError("protocol", "The relay presented no certificate");
    options.verifyPeer(certificate);
    return await orAbort(signal, startSession(socket, certificate, options));
  } catch (reason) {
    socket.destroy();
    raw?.destroy();
    throw dialError(reason, options);
  }
}

const droppedBy = new Set<string | undefined>(["ECONNRESET", "EPIPE"]);

function handshake(socket: TLSSocket, target: DialHttp2Options): Promise<void> {
  return new Promise((resolve, reject) => {
    // A relay that is over a limit drops connections before TLS.
    socket.on("error", (cause) => reject(droppedBy.has(libraryCode(cause)) ? goneError(target, cause) : cause));
    socket.on("close", () => reject(goneError(target)));
    socket.on("secureConnect", () => {
      if (socket.alpnProtocol === alpn.http2) resolve();
      else reject(noRelayError(target));
    });
  });
}

/** The tunnel client takes HTTP/2's server role, so that the relay can open streams. */
function startSession(
  socket: TLSSocket,
  peerCertificate: Buffer,
  target: DialHttp2Options,
): Promise<TransportConnection> {
  // The socket leads to the proxy then.
  const remote = target.proxy && { address: target.host, port: target.port };
  return new Promise((resolve, reject) => {
    const session = http2.performServerHandshake(socket, sessionOptions);
    session.setLocalWindowSize(limits.linkWindowBytes);
    let transport: Http2Connection | undefined;
    session.on("error", reject);
    session.on("close", () => reject(goneError(target)));
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
