import type { TLSSocket } from "node:tls";
import { answerChallenge } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import type { RequestReport, VisitorConnection } from "../http/index.ts";
import type { ServeEnd } from "../gateway/index.ts";
import type { Logger } from "@porthole/common/log";
import type { Link, LinkKind, LinkStream } from "@porthole/common/link";
import { encodeProxyHeader, type ProxyHeader, alpn } from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import type { Endpoint } from "./endpoint.ts";
import type { ArrivedVisitor } from "./read-visitor.ts";
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

/** A visitor's stream from its ClientHello to its end: TLS ends here, and the gateway takes it to the local service. */
export function forward(visitor: ArrivedVisitor, options: ForwarderOptions): Visit {
  let secure: VisitorSocket | undefined;
  return {
    done: serve(visitor, options, (socket) => (secure = socket)),
    get bytes() {
      return (secure?.bytesRead ?? 0) + (secure?.bytesWritten ?? 0);
    },
    end: () => void secure?.end(),
  };
}

async function serve(
  { stream, link, header, startedAt }: ArrivedVisitor,
  options: ForwarderOptions,
  onSecure: (socket: VisitorSocket) => void,
): Promise<void> {
  const { endpoint, clock, signal, onRequest } = options;
  let secure: VisitorSocket | undefined;
  let end: Partial<ServeEnd> = {};
  let beginning: VisitBeginning | undefined;
  try {
    beginning = new VisitBeginning(clock, signal, (error) => {
      secure?.destroy();
      stream.destroy(error);
    });
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
    address: header.source?.address ?? "unknown",
    hostname: header.authority ?? "",
    traceId: header.uniqueId ?? "",
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
