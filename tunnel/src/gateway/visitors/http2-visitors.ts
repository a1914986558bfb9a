import { randomBytes } from "node:crypto";
import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { limits } from "../limits.ts";
import { PortholeError } from "@porthole/common/errors";
import { Deadline, type Clock } from "@porthole/common/util";
import { Body, fromHttp2, type RawHeaders } from "../../http/index.ts";
import { Http2Answer } from "./http2-answer.ts";
import { pageFor } from "./pages.ts";
import type { Unread, UnreadConnection } from "../unread-answers.ts";
import { unsentOf, type ServeRequest, type VisitorRequest, type VisitorStream } from "./visitor.ts";

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_FLAG_END_STREAM, NGHTTP2_PROTOCOL_ERROR } = http2.constants;

const sessionOptions: http2.ServerSessionOptions = {
  settings: {
    enablePush: false,
    // WebSockets on the connection that is there already (RFC 8441).
    enableConnectProtocol: true,
    initialWindowSize: limits.streamWindowBytes,
    maxConcurrentStreams: limits.maxVisitorStreams,
    // HTTP/2 counts 32 bytes more for each field (RFC 9113 section 6.5.2).
    maxHeaderListSize: limits.maxHttpHeadBytes + 32 * limits.maxHttpFields,
  },
  // Browsers send a field for each cookie. Node's own bound is 128.
  maxHeaderListPairs: limits.maxHttpFields,
  maxSessionRejectedStreams: limits.maxRefusedStreams,
  maxSessionMemory: limits.http2SessionMegabytes,
};

/** A visitor that speaks HTTP/2. The connection is the session's from here on. */
export function acceptHttp2(socket: VisitorStream, serve: ServeRequest, clock: Clock): UnreadConnection {
  // A visitor that has ended one direction is gone; left half-open the session would not notice.
  socket.allowHalfOpen = false;
  const session = http2.performServerHandshake(socket, sessionOptions);
  const answers = new Set<Http2Answer>();
  const idle = new Deadline(clock);
  const awaitHead = (): void => idle.set(limits.httpHeadDeadlineMs, () => session.close());
  session.setLocalWindowSize(limits.visitorWindowBytes);
  session.on("error", () => {});
  // There is no half of an HTTP/2 connection: a visitor that has ended it has left.
  socket.on("end", () => session.destroy());
  session.on("close", () => {
    idle.stop();
    socket.destroy();
  });
  session.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: string[]) => {
    stream.on("error", () => {});
    // Node reports a request after it has read what follows it: one that was reset at once costs nothing more.
    if (stream.destroyed || stream.closed) return;
    const request = visitorRequest(stream, headers, flags, raw);
    if (request && bytesOf(request.headers) > limits.maxHttpHeadBytes) return refuseHead(stream, request);
    if (!request) return stream.close(NGHTTP2_PROTOCOL_ERROR);
    idle.clear();
    const answer = new Http2Answer(stream, request);
    answers.add(answer);
    serve(request, answer, () => {
      answers.delete(answer);
      if (answers.size === 0 && !session.destroyed) awaitHead();
    });
  });
  awaitHead();
  return new Http2Connection(socket, session, answers);
}

class Http2Connection implements UnreadConnection {
  readonly answers: ReadonlySet<Unread>;
  readonly #socket: VisitorStream;
  readonly #session: ServerHttp2Session;

  constructor(socket: VisitorStream, session: ServerHttp2Session, answers: ReadonlySet<Unread>) {
    this.#socket = socket;
    this.#session = session;
    this.answers = answers;
  }

  get unreadBytes(): number {
    if (this.#session.destroyed) return 0;
    let bytes = unsentOf(this.#socket);
    for (const answer of this.answers) bytes += answer.unreadBytes;
    return bytes;
  }

  get takenBytes(): number {
    return (this.#socket.bytesWritten ?? 0) - unsentOf(this.#socket);
  }

  giveUp(error: PortholeError): void {
    for (const answer of [...this.answers]) answer.giveUp(error);
    // Without an error Node forgets the code.
    this.#session.destroy(error, NGHTTP2_ENHANCE_YOUR_CALM);
    this.#socket.destroy(error);
  }
}

function bytesOf(headers: RawHeaders): number {
  let bytes = 0;
  for (const text of headers) bytes += text.length;
  return bytes;
}

function refuseHead(stream: ServerHttp2Stream, request: VisitorRequest): void {
  const { headers, body } = pageFor("too-large", request);
  const answer = new Http2Answer(stream, request);
  answer.start({ status: 431, statusText: undefined, headers }, "body");
  answer.write(body);
  answer.end([], () => {});
}

/** Undefined where the pseudo-headers and Host don't agree; nghttp2 has checked the rest (RFC 9113 8.2, 8.3). */
function visitorRequest(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders & { readonly ":protocol"?: string | undefined },
  flags: number,
  raw: readonly string[],
): VisitorRequest | undefined {
  const { ":method": method = "", ":path": target, ":authority": authority, host } = headers;
  if (target === undefined || (authority !== undefined && host !== undefined && authority !== host)) return undefined;
  const name = authority ?? host;
  if (name === undefined) return undefined;
  const isWebSocket = method === "CONNECT" && headers[":protocol"]?.toLowerCase() === "websocket";
  const hasBody = !isWebSocket && (flags & NGHTTP2_FLAG_END_STREAM) === 0;
  return {
    httpVersion: "2",
    method: isWebSocket ? "GET" : method,
    target,
    // HTTP/1.1 asks for proof that the other side knows WebSockets; HTTP/2 has negotiated it.
    headers: [
      ...["host", name, ...fromHttp2(raw)],
      ...(isWebSocket ? ["Sec-WebSocket-Key", randomBytes(16).toString("base64")] : []),
    ],
    body: hasBody ? bodyOf(stream) : undefined,
    expectsContinue: hasBody && headers["expect"]?.toLowerCase() === "100-continue",
    upgrade: isWebSocket ? "websocket" : undefined,
  };
}

function bodyOf(stream: ServerHttp2Stream): Body {
  const body = new Body(stream);
  let trailers: RawHeaders = [];
  stream.on("trailers", (_fields: IncomingHttpHeaders, _flags: number, raw: string[]) => (trailers = fromHttp2(raw)));
  stream.on("data", (chunk: Buffer) => body.push(chunk));
  stream.on("end", () => {
    // Node ends streams in order also when they are cut off; before there is an answer only a reset closes one.
    if (!stream.destroyed && (!stream.closed || stream.writableFinished)) body.finish(trailers);
  });
  stream.on("close", () => {
    if (!body.isWhole) body.breakOff(new PortholeError("aborted", "The visitor left"));
  });
  return body;
}
