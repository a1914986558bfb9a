import http, { type ClientRequest, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { limits } from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import { connectService } from "./local-service.ts";
import { pairsOf, valueOf, type ForwardedHead, type RawHeaders, type ServiceTarget } from "../../http/index.ts";
import type { Reply, SendInit, Upstream, UpstreamCall } from "./upstream.ts";

/**
 * A service that speaks HTTP/1.1, with or without TLS. `httpxy` and `http-proxy-3` would save the fifty lines that pipe two
 * bodies, and know neither trailers, 1xx answers, HTTP/2 on either side, nor somebody who watches or refuses; `undici` is the
 * faster client, and has no request trailers and no `Expect: 100-continue`.
 */
export function createHttp1Upstream(service: ServiceTarget, clock: Clock): Upstream {
  const sockets = new Set<Socket>();
  const stop = new AbortController();
  const agent = new http.Agent({ keepAlive: true, scheduling: "lifo", timeout: limits.serviceIdleMs });
  agent.createConnection = (_options, callback) => {
    connectService(service, { clock, signal: stop.signal, alpn: "http/1.1", preface: service.preface }).then(
      (socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        callback?.(null, socket);
      },
      (reason: Error) => callback?.(reason, undefined as never),
    );
    return undefined;
  };
  const turns = new Turns(clock);
  return {
    turn: () => turns.next(),
    send(head, init) {
      const call = new Http1Call(agent, head, init);
      turns.take(call.reply);
      return call;
    },
    close() {
      stop.abort(new PortholeError("aborted", "The visitor's connection is over"));
      turns.end();
      agent.destroy();
      for (const socket of sockets) socket.destroy();
    },
  };
}

class Turns {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #unanswered = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): Promise<void> | undefined {
    if (this.#unanswered + this.#waiting.size < limits.eagerServiceRequests) return undefined;
    return new Promise((resolve) => {
      const go = (): void => {
        patience.cancel();
        this.#waiting.delete(go);
        resolve();
      };
      const patience = this.#clock.timer(limits.serviceTurnPatienceMs, go);
      this.#waiting.add(go);
    });
  }

  /** Nobody has to wait any more. */
  end(): void {
    for (const go of this.#waiting) go();
  }

  take(answered: Promise<unknown>): void {
    this.#unanswered += 1;
    const done = (): void => {
      this.#unanswered -= 1;
      for (const go of this.#waiting) return go();
    };
    answered.then(done, done);
  }
}

class Http1Call implements UpstreamCall {
  readonly #request: ClientRequest;
  readonly reply: Promise<Reply>;

  constructor(agent: http.Agent, { method, target, headers }: ForwardedHead, init: SendInit) {
    const length = init.body === "none" && ["POST", "PUT", "PATCH"].includes(method) ? ["Content-Length", "0"] : [];
    const framing = init.body === "chunked" ? ["Transfer-Encoding", "chunked"] : length;
    const upgrade = init.upgrade === undefined ? [] : ["Connection", "Upgrade", "Upgrade", init.upgrade];
    this.#request = http.request({
      agent,
      method,
      path: target,
      headers: [...headers, ...framing, ...upgrade],
      maxHeaderSize: limits.maxServiceHeadBytes,
      insecureHTTPParser: false,
    });
    this.reply = this.#awaitReply(init);
    this.reply.catch(() => {});
    if (init.body !== "none") this.#request.flushHeaders();
  }

  get isReused(): boolean {
    return this.#request.reusedSocket;
  }

  write(chunk: Buffer): boolean {
    return this.#request.destroyed || this.#request.write(chunk);
  }

  onDrain(callback: () => void): void {
    this.#request.on("drain", callback);
  }

  end(trailers: RawHeaders): void {
    if (trailers.length > 0) this.#request.addTrailers(pairsOf(trailers));
    this.#request.end();
  }

  abort(): void {
    this.#request.destroy();
  }

  #awaitReply({ onInform }: SendInit): Promise<Reply> {
    const request = this.#request;
    return new Promise((resolve, reject) => {
      request.on("continue", () => onInform(100, []));
      request.on("information", ({ statusCode, rawHeaders }) => {
        if (statusCode !== 100) onInform(statusCode, rawHeaders);
      });
      request.on("response", (message) => {
        resolve({
          kind: "response",
          head: headOf(message),
          body: message,
          isWhole: () => message.complete,
          rest: valueOf(message.rawHeaders, "transfer-encoding") === undefined ? "body" : "body and trailers",
          trailers: () => message.rawTrailers,
        });
      });
      request.on("upgrade", (message, socket: Socket, head) => {
        socket.allowHalfOpen = true;
        socket.setTimeout(0);
        if (head.length > 0) socket.unshift(head);
        resolve({ kind: "upgrade", head: headOf(message), socket });
      });
      // Also errors after the reply, which its body tells.
      request.on("error", (cause) => reject(fromNode(cause)));
      request.on("close", () => reject(broken()));
    });
  }
}

function headOf({ statusCode = 0, statusMessage = "", rawHeaders }: IncomingMessage): Reply["head"] {
  return { status: statusCode, statusText: statusMessage, headers: rawHeaders };
}

/** What the service sent instead of an HTTP answer, as far as an error of `reply` knows it. */
export function notHttp(error: PortholeError): Buffer | undefined {
  const { rawPacket } = (error.cause ?? {}) as { readonly rawPacket?: unknown };
  return Buffer.isBuffer(rawPacket) ? rawPacket : undefined;
}

function fromNode(cause: Error & { readonly code?: string }): PortholeError {
  if (cause instanceof PortholeError) return cause;
  if (cause.code?.startsWith("HPE_"))
    return new PortholeError("protocol", `The local service's answer is not valid HTTP: ${cause.message}`, { cause });
  return broken(cause);
}

function broken(cause?: Error): PortholeError {
  return new PortholeError("closed", "The local service ended the connection before it had answered", { cause });
}
