import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { limits } from "@porthole/common/protocol";
import type { Clock, Timer } from "@porthole/common/util";
import { Http1Answer } from "./http1-answer.ts";
import { pageFor, type PageKind } from "./pages.ts";
import { linesOf, valuesOf } from "../../http/index.ts";
import type { ServeRequest, VisitorRequest } from "./visitor.ts";

/** Visitors who speak HTTP/1: Node's own parser in its strict mode, and one request at a time on each connection. */
export interface Http1Visitors {
  /** The connection is the server's from here on. What has been read from it may have been put back. */
  accept(socket: Duplex, serve: ServeRequest): void;
}

export function createHttp1Visitors(clock: Clock): Http1Visitors {
  const connections = new WeakMap<Duplex, Http1Connection>();
  const server = http.createServer({
    keepAliveTimeout: 0,
    requestTimeout: 0,
    headersTimeout: 0,
    maxHeaderSize: limits.maxHttpHeadBytes,
    insecureHTTPParser: false,
  });
  // A visitor who has said everything still gets the answer; Http1Connection decides for how long.
  Object.assign(server, { httpAllowHalfOpen: true });
  const onRequest = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) =>
    connections.get(request.socket)?.onRequest(request, response, expectsContinue);
  server.on("request", onRequest(false));
  server.on("checkContinue", onRequest(true));
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) =>
    connections.get(request.socket)?.refuse(request, response, 417, "unsupported"),
  );
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    connections.get(socket)?.onUpgrade(request, head),
  );
  server.on("connect", (_request: IncomingMessage, socket: Duplex) =>
    connections.get(socket)?.close(405, "unsupported"),
  );
  server.on("clientError", (error: NodeJS.ErrnoException, socket: Duplex) =>
    connections.get(socket)?.onParserError(error),
  );
  return {
    accept(socket, serve) {
      connections.set(socket, new Http1Connection(socket, serve, clock));
      server.emit("connection", socket);
    },
  };
}

const statusOfError: Readonly<Record<string, readonly [number, PageKind]>> = {
  HPE_HEADER_OVERFLOW: [431, "too-large"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, "too-large"],
};

class Http1Connection {
  readonly #socket: Duplex & { readonly bytesRead?: number };
  readonly #serve: ServeRequest;
  readonly #clock: Clock;
  /** Requests that were sent before the answer to the one before them. */
  readonly #waiting: (() => void)[] = [];
  #current: Http1Answer | undefined;
  #timer: Timer | undefined;
  #isClosing = false;

  constructor(socket: Duplex, serve: ServeRequest, clock: Clock) {
    this.#socket = socket;
    this.#serve = serve;
    this.#clock = clock;
    socket.on("close", () => {
      this.#timer?.cancel();
      this.#waiting.length = 0;
    });
    // What Node calls after the last answer would cut off a visitor who still sends.
    Object.assign(socket, { destroySoon: () => this.#endSocket() });
    socket.on("end", () => {
      if (this.#current?.isUpgraded) return;
      if (!this.#current) return void socket.end();
      this.#wait(limits.halfClosedVisitorMs, () => socket.destroy());
    });
    // The first bytes may have come with the handshake.
    this.#awaitHead(0);
  }

  onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    this.#take(() => {
      const fault = faultOf(request);
      if (fault) return this.refuse(request, response, ...fault);
      this.#run(visitorRequest(request, expectsContinue, undefined), new Http1Answer(request, response));
    });
  }

  onUpgrade(request: IncomingMessage, head: Buffer): void {
    this.#take(() => {
      const response = new http.ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(this.#socket as never);
      response.on("finish", () => this.#endSocket());
      this.#socket.on("error", () => {});
      const fault: Fault | undefined = hasBody(request) ? [501, "unsupported"] : faultOf(request);
      if (fault) return this.refuse(request, response, ...fault);
      const upgrade = (request.headers.upgrade ?? "").toLowerCase();
      this.#run(visitorRequest(request, false, upgrade), new Http1Answer(request, response, head));
    });
  }

  refuse(request: IncomingMessage, response: ServerResponse, status: number, kind: PageKind): void {
    this.#isClosing = true;
    const { headers, body } = pageFor(kind, { method: request.method ?? "GET", headers: request.rawHeaders });
    response.writeHead(status, [...headers, "Connection", "close"]);
    response.on("finish", () => this.#endSocket());
    response.end(request.method === "HEAD" ? undefined : body);
  }

  onParserError(error: NodeJS.ErrnoException): void {
    if (this.#isClosing) return;
    if (!error.code?.startsWith("HPE_")) return void this.#socket.destroy();
    if (this.#current) {
      this.#isClosing = true;
      this.#current.fail(
        new PortholeError("protocol", `The visitor's request is broken: ${error.message}`, { cause: error }),
      );
      return;
    }
    this.close(...(statusOfError[error.code] ?? [400, "bad-request"]));
  }

  /** An answer where there is no request to answer. */
  close(status: number, kind: PageKind): void {
    this.#isClosing = true;
    const { headers, body } = pageFor(kind, undefined);
    const head = `HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\nConnection: close\r\n${linesOf(headers)}\r\n`;
    if (this.#socket.writable) this.#socket.write(Buffer.concat([Buffer.from(head), body]));
    this.#endSocket();
  }

  #take(start: () => void): void {
    if (this.#isClosing) return;
    if (!this.#current) return start();
    if (this.#waiting.length >= limits.maxPipelinedRequests) this.#socket.destroy();
    else this.#waiting.push(start);
  }

  #run(request: VisitorRequest, answer: Http1Answer): void {
    this.#timer?.cancel();
    this.#current = answer;
    void this.#serve(request, answer).then(() => {
      this.#current = undefined;
      if (answer.isUpgraded || this.#socket.destroyed) return;
      const next = this.#waiting.shift();
      if (this.#isClosing || !this.#socket.writable) this.#endSocket();
      else if (next) next();
      else if (this.#socket.readableEnded) this.#socket.end();
      else this.#awaitHead();
    });
  }

  /** Between requests there is one deadline, for silence and for heads that don't end. */
  #awaitHead(readBefore = this.#socket.bytesRead): void {
    this.#wait(limits.httpHeadDeadlineMs, () => {
      if (this.#socket.bytesRead === readBefore) this.#endSocket();
      else this.close(408, "request-timeout");
    });
  }

  /** Whoever still sends must not get a reset before it has read the answer. */
  #endSocket(): void {
    this.#isClosing = true;
    if (this.#socket.destroyed) return;
    this.#socket.end();
    this.#socket.resume();
    this.#wait(limits.visitorCloseMs, () => this.#socket.destroy());
  }

  #wait(delayMs: number, callback: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.timer(delayMs, callback);
  }
}

type Fault = readonly [number, PageKind];

/** What the parser lets through, and what two parsers could read differently. */
function faultOf(request: IncomingMessage): Fault | undefined {
  const { httpVersion, rawHeaders } = request;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") return [505, "unsupported"];
  const codings = valuesOf(rawHeaders, "transfer-encoding");
  if (codings.length === 0) return undefined;
  if (httpVersion === "1.0") return [400, "bad-request"];
  return codings.length === 1 && codings[0]?.toLowerCase() === "chunked" ? undefined : [501, "unsupported"];
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function visitorRequest(
  request: IncomingMessage,
  expectsContinue: boolean,
  upgrade: string | undefined,
): VisitorRequest {
  return {
    httpVersion: request.httpVersion as "1.0" | "1.1",
    method: request.method ?? "",
    target: request.url ?? "",
    headers: request.rawHeaders,
    body: hasBody(request) ? request : undefined,
    isWhole: () => request.complete,
    trailers: () => request.rawTrailers,
    expectsContinue,
    upgrade,
  };
}
