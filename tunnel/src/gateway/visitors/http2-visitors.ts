import { randomBytes } from "node:crypto";
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { limits } from "@porthole/common/protocol";
import type { Clock, Timer } from "@porthole/common/util";
import { fromHttp2, giveHttp2, type RawHeaders } from "../../http/index.ts";
import type { Answer, AnswerHead, AnswerRest, ServeRequest, VisitorRequest } from "./visitor.ts";
import { limits as gatewayLimits } from "../limits.ts";

const { NGHTTP2_FLAG_END_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_PROTOCOL_ERROR } = http2.constants;

const sessionOptions: http2.ServerSessionOptions = {
  settings: {
    enablePush: false,
    // WebSockets on the connection that is there already (RFC 8441).
    enableConnectProtocol: true,
    initialWindowSize: gatewayLimits.streamWindowBytes,
    maxConcurrentStreams: limits.maxVisitorStreams,
    maxHeaderListSize: limits.maxHttpHeadBytes,
  },
  // Megabytes. The windows bound what can wait.
  maxSessionMemory: 32,
};

/** A visitor who speaks HTTP/2. The connection is the session's from here on. */
export function acceptHttp2(socket: Duplex, serve: ServeRequest, clock: Clock): void {
  // Who has ended one direction is gone; left half-open the session would not notice.
  socket.allowHalfOpen = false;
  const session = http2.performServerHandshake(socket, sessionOptions);
  let open = 0;
  let idle: Timer | undefined;
  const awaitHead = (): void => {
    idle?.cancel();
    idle = clock.timer(limits.httpHeadDeadlineMs, () => session.close());
  };
  session.setLocalWindowSize(limits.visitorWindowBytes);
  session.on("error", () => {});
  // There is no half of an HTTP/2 connection: who has ended it has left.
  socket.on("end", () => session.destroy());
  session.on("close", () => {
    idle?.cancel();
    socket.destroy();
  });
  session.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number) => {
    stream.on("error", () => {});
    const request = visitorRequest(stream, headers, flags);
    if (!request) {
      stream.close(NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    open += 1;
    idle?.cancel();
    void serve(request, new Http2Answer(stream)).then(() => {
      open -= 1;
      if (open === 0 && !session.destroyed) awaitHead();
    });
  });
  awaitHead();
}

/** Undefined where the pseudo-headers and Host don't agree; nghttp2 has checked the rest (RFC 9113 8.2, 8.3). */
function visitorRequest(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders & { readonly ":protocol"?: string | undefined },
  flags: number,
): VisitorRequest | undefined {
  const { ":method": method = "", ":path": target, ":authority": authority, host } = headers;
  const upgrade = method === "CONNECT" ? headers[":protocol"]?.toLowerCase() : undefined;
  if (target === undefined || (authority !== undefined && host !== undefined && authority !== host)) return undefined;
  const name = authority ?? host;
  if (name === undefined) return undefined;
  const fields = fromHttp2({ ...headers, host: undefined });
  let trailers: RawHeaders = [];
  stream.on("trailers", (received: IncomingHttpHeaders) => {
    trailers = fromHttp2(received);
  });
  const hasBody = upgrade === undefined && (flags & NGHTTP2_FLAG_END_STREAM) === 0;
  return {
    httpVersion: "2",
    method: upgrade === undefined ? method : "GET",
    target,
    // HTTP/1.1 asks for proof that the other side knows WebSockets; HTTP/2 has negotiated it.
    headers: [
      ...["host", name, ...fields],
      ...(upgrade === "websocket" ? ["Sec-WebSocket-Key", randomBytes(16).toString("base64")] : []),
    ],
    body: hasBody ? stream : undefined,
    // While there is no answer yet, only a reset closes it.
    isWhole: () => !stream.destroyed && (!stream.closed || stream.writableFinished),
    trailers: () => trailers,
    expectsContinue: hasBody && headers["expect"]?.toLowerCase() === "100-continue",
    upgrade,
  };
}

class Http2Answer implements Answer {
  readonly #stream: ServerHttp2Stream;
  #trailers: RawHeaders = [];
  /** Once they are on their way; undefined where none may follow. */
  #afterTrailers: (() => void) | undefined;
  headSent = false;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  onTrouble(callback: (error: PortholeError) => void): void {
    this.#stream.on("close", () => {
      const isOver = this.#stream.writableFinished && this.#stream.rstCode === NGHTTP2_NO_ERROR;
      if (!isOver) callback(new PortholeError("aborted", "The visitor left"));
    });
  }

  inform(status: number, headers: RawHeaders): void {
    if (this.#stream.destroyed || this.headSent) return;
    giveHttp2(headers, (fields) => this.#stream.additionalHeaders({ ":status": status, ...fields }));
  }

  start({ status, headers }: AnswerHead, rest: AnswerRest): void {
    this.headSent = true;
    const stream = this.#stream;
    if (stream.destroyed) return;
    const waitForTrailers = rest === "body and trailers";
    const options = { endStream: rest === "nothing", waitForTrailers };
    giveHttp2(headers, (fields) => stream.respond({ ...fields, ":status": status }, options));
    if (!waitForTrailers) return;
    this.#afterTrailers = () => {};
    stream.on("wantTrailers", () => {
      giveHttp2(this.#trailers, (fields) => stream.sendTrailers(fields));
      // Now they are only in nghttp2's queue, which a reset would pass.
      setImmediate(() => this.#afterTrailers?.());
    });
  }

  write(chunk: Buffer): boolean {
    return this.#stream.destroyed || this.#stream.write(chunk);
  }

  onDrain(callback: () => void): void {
    this.#stream.on("drain", callback);
  }

  end(trailers: RawHeaders, callback: () => void): void {
    const stream = this.#stream;
    this.#trailers = trailers;
    if (stream.closed || stream.destroyed) return callback();
    let isCalled = false;
    const done = (): void => {
      if (isCalled) return;
      isCalled = true;
      // Nobody reads the rest of the request (RFC 9113 8.1).
      if (!stream.readableEnded && !stream.destroyed) stream.close(NGHTTP2_NO_ERROR);
      callback();
    };
    if (this.#afterTrailers) this.#afterTrailers = done;
    else if (stream.writableFinished) return done();
    else stream.once("finish", done);
    stream.once("close", done);
    stream.end();
  }

  upgrade({ headers }: AnswerHead): Duplex {
    this.headSent = true;
    giveHttp2(headers, ({ "sec-websocket-accept": _accept, ...fields }) =>
      this.#stream.respond({ ...fields, ":status": 200 }),
    );
    return this.#stream;
  }

  breakOff(): void {
    if (!this.#stream.destroyed) this.#stream.close(NGHTTP2_INTERNAL_ERROR);
  }
}
