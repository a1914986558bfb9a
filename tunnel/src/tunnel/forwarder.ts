import type { TLSSocket } from "node:tls";
import { answerChallenge } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import type { RequestReport, VisitorConnection } from "../http/index.ts";
import type { ServeEnd } from "../gateway/index.ts";
import type { Logger } from "@porthole/common/log";
import type { Link, LinkKind, LinkStream } from "@porthole/common/link";
import { decodeProxyHeader, encodeProxyHeader, type ProxyHeader, alpn } from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import type { Endpoint } from "./endpoint.ts";
import { Turnstile } from "./turnstile.ts";
import { handshake, type VisitorSocket } from "./visitor-handshake.ts";
import { limits } from "./limits.ts";
import { VisitBeginning } from "./visit-beginning.ts";

/** A handshake costs milliseconds: visitors that have left by their turn cost none. */
const handshakes = new Turnstile(limits.handshakesPerTurn);
const unknownAddress = { address: "0.0.0.0", port: 0 };

/** One visitor's connection, once it is over. */
export interface VisitReport {
  readonly role: Endpoint["role"];
  readonly address: string;
  readonly hostname: string;
  readonly traceId: string;
  readonly transport: LinkKind;
  /** Whether its bytes were read as HTTP. Absent when it did not come so far. */
  readonly mode?: ServeEnd["mode"];
  readonly durationMs: number;
  /** Plain bytes from the visitor and to the visitor. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly error?: PortholeError;
}

export interface ForwarderOptions {
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly onVisit: (report: VisitReport) => void;
  readonly onRequest: (report: RequestReport) => void;
}

/** A visitor who is being served. */
export interface Visit {
  /** Settles at its end. Never rejects. */
  readonly done: Promise<void>;
  /** Plain bytes in both directions so far. */
  readonly bytes: number;
  /** Ends the connection in order: what was written before still reaches the visitor. */
  end(): void;
}

/** A visitor's stream from its header to its end: TLS ends here, and the gateway takes it to the local service. */
export function forward(stream: LinkStream, link: Link, options: ForwarderOptions): Visit {
  let secure: VisitorSocket | undefined;
  return {
    done: serve(stream, link, options, (socket) => (secure = socket)),
    get bytes() {
      return (secure?.bytesRead ?? 0) + (secure?.bytesWritten ?? 0);
    },
    end: () => void secure?.end(),
  };
}

async function serve(
  stream: LinkStream,
  link: Link,
  options: ForwarderOptions,
  onSecure: (socket: VisitorSocket) => void,
): Promise<void> {
  const { endpoint, clock, signal, onRequest } = options;
  const startedAt = clock.monotonic();
  let header: ProxyHeader | undefined;
  let secure: VisitorSocket | undefined;
  let end: Partial<ServeEnd> = {};
  let beginning: VisitBeginning | undefined;
  try {
    beginning = new VisitBeginning(clock, signal, (error) => {
      secure?.destroy();
      stream.destroy(error);
    });
    beginning.within(limits.streamHeaderDeadlineMs, "The header of a visitor's stream");
    header = await readHeader(stream);
    if (header.alpn === alpn.acmeChallenge) {
      beginning.stop();
      await answerValidator(stream, header.authority, options);
      return;
    }
    beginning.within(limits.visitorHandshakeMs, "A visitor's TLS handshake");
    await handshakes.pass();
    if (stream.destroyed) throw new PortholeError("aborted", "The visitor left before its TLS handshake");
    const { authority } = header;
    const offered: string[] = [];
    secure = await handshake(stream, endpoint, authority, offered, (socket) => (secure = socket));
    beginning.stop();
    onSecure(secure);
    const handshakeMs = clock.monotonic() - startedAt;
    const visitor = visitorConnection(endpoint, header, link, handshakeMs);
    const proxyHeader = headerForService(header, secure.alpnProtocol);
    end = await endpoint.gateway.serve(secure, offered, { visitor, proxyHeader, signal, onRequest });
  } catch (reason) {
    beginning?.stop();
    end = { error: beginning?.failure ?? PortholeError.from(reason) };
  }
  const { error } = end;
  if (error) {
    if (error.code === "service-down") options.log.warn({ role: endpoint.role, hint: error.hint }, error.message);
    else options.log.debug({ role: endpoint.role, code: error.code }, error.message);
    endQuietly(secure, stream, error, clock);
  }
  options.onVisit({
    role: endpoint.role,
    address: header?.source?.address ?? "unknown",
    hostname: header?.authority ?? "",
    traceId: header?.uniqueId ?? "",
    transport: link.kind,
    ...(end.mode ? { mode: end.mode } : {}),
    durationMs: clock.monotonic() - startedAt,
    bytesIn: secure?.bytesRead ?? 0,
    bytesOut: secure?.bytesWritten ?? 0,
    ...(error ? { error } : {}),
  });
}

function visitorConnection(
  endpoint: Endpoint,
  { source, destination, authority, uniqueId }: ProxyHeader,
  link: Link,
  handshakeMs: number,
): VisitorConnection {
  const linkRttMs = link.rttMs();
  return {
    endpoint: endpoint.role,
    address: source?.address ?? "unknown",
    ...(source ? { port: source.port } : {}),
    hostname: authority ?? "",
    ...(destination ? { publicPort: destination.port } : {}),
    traceId: uniqueId ?? "",
    transport: link.kind,
    ...(linkRttMs === undefined ? {} : { linkRttMs }),
    handshakeMs,
  };
}

/** What came with the visitor's stream, for a service behind us; TLS has ended here, so it learns what was agreed on. */
function headerForService(
  { source, destination, authority, uniqueId }: ProxyHeader,
  protocol: TLSSocket["alpnProtocol"],
): Buffer {
  return encodeProxyHeader({
    source: source ?? unknownAddress,
    destination: destination ?? unknownAddress,
    authority,
    uniqueId,
    alpn: protocol || undefined,
  });
}

/** Reads the PROXY header and puts what follows it back. */
function readHeader(stream: LinkStream): Promise<ProxyHeader> {
  return new Promise((resolve, reject) => {
    let buffer: Buffer = Buffer.alloc(0);
    function onReadable(): void {
      for (let chunk = stream.read() as Buffer | null; chunk; chunk = stream.read() as Buffer | null) {
        buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
      }
      try {
        const decoded = decodeProxyHeader(buffer);
        if (!decoded) return;
        cleanUp();
        if (decoded.length < buffer.length) stream.unshift(buffer.subarray(decoded.length));
        resolve(decoded.header);
      } catch (reason) {
        cleanUp();
        reject(PortholeError.from(reason));
      }
    }
    function onEnd(): void {
      cleanUp();
      reject(new PortholeError("closed", "A visitor's stream ended before its header"));
    }
    function cleanUp(): void {
      stream.off("readable", onReadable);
      stream.off("end", onEnd);
      stream.off("close", onEnd);
    }
    stream.on("readable", onReadable);
    stream.on("end", onEnd);
    stream.on("close", onEnd);
    onReadable();
  });
}

/** A CA's validator, or our own self-test: gets the challenge's certificate, and no service. */
async function answerValidator(
  stream: LinkStream,
  hostname: string | undefined,
  { endpoint, clock, signal, log }: ForwarderOptions,
): Promise<void> {
  const context = hostname === undefined ? undefined : endpoint.challenges.find(hostname);
  log.debug({ hostname }, context ? "Answering a challenge" : "A challenge that nobody waits for");
  if (context) await answerChallenge(stream, context, { clock, signal });
  // The relay offers it to the next process with our key.
  else stream.destroy(new PortholeError("name", "This process has no such challenge"));
}

/** The visitor gets an orderly end where TLS can say why, so that "local service down" is not taken for an attack. */
function endQuietly(secure: VisitorSocket | undefined, stream: LinkStream, error: PortholeError, clock: Clock): void {
  if (secure && !secure.destroyed && (secure.handshakeError || error.code === "service-down")) {
    secure.endAndLinger(clock);
  } else {
    secure?.destroy();
    stream.destroy(error);
  }
}
