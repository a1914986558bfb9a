import type { Socket } from "node:net";
import { PortholeError } from "@porthole/common/errors";
import { limits } from "../limits.ts";
import type { Clock } from "@porthole/common/util";
import {
  AnswerReader,
  Body,
  hasValue,
  type AnswerEvents,
  type AnswerFault,
  type BodySource,
  type Http1AnswerHead,
  type RawHeaders,
  type ServiceTarget,
} from "../../http/index.ts";
import type { AnswerRest } from "../visitors/visitor.ts";
import type { CallConnection, Http1Call } from "./http1-call.ts";
import { connectService } from "./local-service.ts";
import { listenTo, ServiceSocket, type SocketEvents } from "./service-socket.ts";

export interface ConnectionOptions {
  readonly service: ServiceTarget;
  readonly clock: Clock;
  /** Ends the connection. */
  readonly signal: AbortSignal;
  /** It may become a WebSocket. */
  readonly isUpgrade: boolean;
  /** Called when the response is complete, and another request may be sent. */
  onFree(connection: ServiceConnection): void;
  onGone(connection: ServiceConnection): void;
}

/** One connection of HTTP/1.1 to a local service, for one request at a time. */
export class ServiceConnection implements AnswerEvents, BodySource, CallConnection {
  readonly #options: ConnectionOptions;
  readonly #reader = new AnswerReader(limits.maxServiceHeadBytes, this);
  #socket: Socket | undefined;
  #stopListening: (() => void) | undefined;
  #call: Http1Call | undefined;
  #body: Body | undefined;
  #isRequestSent = false;
  #isKept = false;
  #isPaused = false;
  #end: RawHeaders | undefined;
  #isGone = false;
  /** The service has tied who asks to this connection (NTLM, Negotiate). */
  isBound = false;
  /** Since when it waits for a request, by a monotonic clock. */
  freeSince = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { service, clock, signal, isUpgrade } = options;
    const plain = service.kind === "http" && !isUpgrade ? new ServiceSocket(this.#events) : undefined;
    connectService(service, {
      ...{ clock, signal, alpn: "http/1.1", preface: service.preface, allowHalfOpen: true },
      ...(plain && { socket: plain }),
    }).then(
      (socket) => this.#onConnected(socket),
      (reason: unknown) => this.#fail(PortholeError.from(reason)),
    );
  }

  /** Sends a request as soon as the connection is there. */
  run(call: Http1Call): void {
    this.#call = call;
    this.#isRequestSent = false;
    if (this.#socket instanceof ServiceSocket) this.#socket.isTaken = false;
    this.#reader.expect(call.isForHead);
    call.attach(this, this.#socket);
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#reader.stop();
    this.#socket?.destroy();
    this.#options.onGone(this);
  }

  // For the call and the body.

  abort(): void {
    this.#call = undefined;
    this.destroy();
  }

  onRequestSent(): void {
    this.#isRequestSent = true;
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#socket instanceof ServiceSocket) this.#socket.isTaken = true;
    this.#socket?.resume();
  }

  // From the reader.

  onInform({ status, statusText, headers }: Http1AnswerHead): void {
    this.#call?.inform(status, statusText, headers);
  }

  onHead(head: Http1AnswerHead): void {
    const call = this.#call;
    if (!call) return;
    if (head.status === 101) return this.#upgrade(call, head);
    if (head.codings !== "")
      return this.#fail(
        new PortholeError("protocol", `The local service's answer has the transfer coding ${head.codings}`),
      );
    this.#isKept = head.isKept;
    if (head.status === 401 && hasValue(head.headers, "www-authenticate", /^\s*(?:ntlm|negotiate)\b/i))
      this.isBound = true;
    const { status, statusText, headers, framing } = head;
    const rest: AnswerRest =
      framing.kind === "none" ? "nothing" : framing.kind === "chunked" ? "body and trailers" : "body";
    const body = new Body(this);
    this.#body = body;
    call.reply({ kind: "response", head: { status, statusText, headers }, body, rest });
  }

  onData(payload: Buffer): void {
    this.#body?.push(payload);
  }

  onEnd(trailers: RawHeaders): void {
    // What else came with it decides whether the connection can be used again.
    this.#end = trailers;
  }

  onFault(fault: AnswerFault): void {
    const said = fault.kind === "not-http" ? fault.said : undefined;
    this.#fail(errorOf(fault), said);
  }

  readonly #events: SocketEvents = {
    onData: (chunk) => {
      const isInOrder = this.#reader.push(chunk);
      if (this.#end) this.#onAnswered(this.#end, isInOrder);
      else if (!isInOrder) this.destroy();
    },
    onEnd: () => this.#onOver(true),
    onDrain: () => this.#call?.drained(),
    onWriteFailure: () => this.#call?.stopWriting(),
    // One that never was there is reported by the attempt to connect, with its reason.
    onClose: (failure) => this.#socket && this.#onOver(!failure),
  };

  #onConnected(socket: Socket): void {
    if (this.#isGone) return void socket.destroy();
    this.#socket = socket;
    if (!(socket instanceof ServiceSocket)) this.#stopListening = listenTo(socket, this.#events);
    this.#call?.attach(this, socket);
  }

  #onAnswered(trailers: RawHeaders, isInOrder: boolean): void {
    const body = this.#body;
    this.#end = undefined;
    this.#body = undefined;
    this.#call?.release();
    this.#call = undefined;
    if (this.#isKept && isInOrder && this.#isRequestSent && !this.#isGone) {
      this.resume();
      this.#options.onFree(this);
    } else this.destroy();
    body?.finish(trailers);
  }

  #onOver(isOrderly: boolean): void {
    if (this.#isGone) return;
    this.#reader.end(isOrderly);
    if (this.#end) this.#onAnswered(this.#end, false);
    else this.destroy();
  }

  #fail(error: PortholeError, said?: Buffer): void {
    const call = this.#call;
    const body = this.#body;
    this.#call = undefined;
    this.#body = undefined;
    this.destroy();
    call?.fail({ error, said });
    call?.release();
    body?.breakOff(error);
  }

  #upgrade(call: Http1Call, { status, statusText, headers }: Http1AnswerHead): void {
    const socket = this.#socket;
    if (!call.isUpgrade || !socket)
      return this.#fail(new PortholeError("protocol", "The local service changed the protocol without being asked to"));
    this.#stopListening?.();
    const rest = this.#reader.stop();
    socket.pause();
    if (rest && rest.length > 0) socket.unshift(rest);
    this.#call = undefined;
    this.#isGone = true;
    this.#options.onGone(this);
    call.reply({ kind: "upgrade", head: { status, statusText, headers }, socket });
    call.release();
  }
}

function errorOf(fault: AnswerFault): PortholeError {
  switch (fault.kind) {
    case "not-http":
      return new PortholeError("protocol", "The local service's answer is not HTTP");
    case "head-too-large":
      return new PortholeError("protocol", "The head of the local service's answer is too large");
    case "broken-chunks":
      return new PortholeError("protocol", "The chunks of the local service's answer are broken");
    case "cut-short":
      return new PortholeError(
        "closed",
        fault.hasHead
          ? "The local service ended the connection in the middle of its answer"
          : "The local service ended the connection before it had answered",
      );
  }
}
