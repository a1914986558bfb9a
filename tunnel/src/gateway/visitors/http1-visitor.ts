import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { limits } from "../limits.ts";
import { Deadline, type Clock } from "@porthole/common/util";
import {
  answerHeadText,
  Body,
  hasValue,
  valueOf,
  RequestReader,
  type BodySource,
  type Http1RequestHead,
  type RawHeaders,
  type RequestEvents,
  type RequestFault,
} from "../../http/index.ts";
import { Http1Answer, type AnswerConnection } from "./http1-answer.ts";
import { pageFor, type PageKind } from "./pages.ts";
import type { UnreadConnection } from "../unread-answers.ts";
import { unsentOf, type ServeRequest, type VisitorRequest, type VisitorStream } from "./visitor.ts";

/** A visitor that speaks HTTP/1. The connection is the gateway's from here on; it closes it. What has been read from it may have been put back. */
export function acceptHttp1(socket: VisitorStream, serve: ServeRequest, clock: Clock): UnreadConnection {
  const visitor = new Http1Visitor(socket, serve, clock);
  visitor.listen();
  return visitor;
}

const pageOfFault: Readonly<Record<RequestFault, PageKind>> = {
  400: "bad-request",
  413: "too-large",
  431: "too-large",
  501: "unsupported",
  505: "unsupported",
};

/** Reads one request at a time; the ones behind it wait unread. */
class Http1Visitor implements RequestEvents, AnswerConnection, BodySource, UnreadConnection {
  readonly socket: VisitorStream;
  readonly #serve: ServeRequest;
  readonly #deadline: Deadline;
  readonly #reader = new RequestReader(limits.maxHttpHeadBytes, this);
  readonly #onData = (chunk: Buffer): void => this.#read(chunk);
  #answer: Http1Answer | undefined;
  #body: Body | undefined;
  #isWhole = false;
  #isReading = false;
  #isPaused = false;
  #isClosing = false;

  constructor(socket: VisitorStream, serve: ServeRequest, clock: Clock) {
    this.socket = socket;
    this.#serve = serve;
    this.#deadline = new Deadline(clock);
  }

  listen(): void {
    const { socket } = this;
    socket.on("error", () => {});
    socket.on("close", () => this.#onClose());
    socket.on("end", () => this.#onEnd());
    socket.on("drain", () => this.#answer?.drained());
    socket.on("data", this.#onData);
    // The first bytes may have come with the handshake.
    this.#awaitHead(0);
  }

  // From the reader.

  onHead(head: Http1RequestHead): void {
    this.#deadline.clear();
    this.#isWhole = head.framing.kind === "none";
    if (head.method === "CONNECT") return this.#close(405, "unsupported", head);
    const expects = head.httpVersion === "1.1" && hasValue(head.headers, "expect");
    const expectsContinue = expects && hasValue(head.headers, "expect", /(?:^|\W)100-continue(?:$|\W)/i);
    if (expects && !expectsContinue) return this.#close(417, "unsupported", head);
    this.#body = this.#isWhole ? undefined : new Body(this);
    const answer = new Http1Answer(this, head);
    this.#answer = answer;
    this.#serve(visitorRequest(head, this.#body, expectsContinue), answer, () => this.#onAnswered(answer));
  }

  onData(payload: Buffer): void {
    this.#body?.push(payload);
  }

  onRequestEnd(trailers: RawHeaders): void {
    this.#isWhole = true;
    this.#body?.finish(trailers);
  }

  onFault(status: RequestFault): void {
    if (!this.#answer) return this.#close(status, pageOfFault[status]);
    this.#isClosing = true;
    this.#answer.fail(new PortholeError("protocol", "The visitor's request is broken in its body"));
  }

  // For the answer and the body.

  isRequestWhole(): boolean {
    return this.#isWhole && !this.#isClosing;
  }

  release(): Duplex {
    this.#deadline.stop();
    const { socket } = this;
    socket.off("data", this.#onData).pause();
    const held = this.#reader.stop();
    if (held && held.length > 0) socket.unshift(held);
    return socket;
  }

  breakOff(error: PortholeError): void {
    this.#isClosing = true;
    this.#reader.stop();
    const end = (): void => void this.socket.destroy(error);
    if (this.socket.writableLength === 0) return end();
    this.socket.write("", end);
    this.#deadline.set(limits.visitorCloseMs, end);
  }

  // For the bound on unread answers.

  get unreadBytes(): number {
    return this.socket.destroyed ? 0 : unsentOf(this.socket);
  }

  get takenBytes(): number {
    return (this.socket.bytesWritten ?? 0) - this.unreadBytes;
  }

  giveUp(error: PortholeError): void {
    this.#isClosing = true;
    this.#answer?.fail(error);
    this.socket.destroy(error);
  }

  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#reader.heldBytes <= limits.maxHttpHeadBytes) this.socket.resume();
  }

  #read(chunk: Buffer): void {
    this.#isReading = true;
    this.#reader.push(chunk);
    this.#isReading = false;
    this.#goOn();
  }

  /** Reads the next request where the one before it is over. Not from within the reader. */
  #goOn(): void {
    while (!this.#answer && this.#isWhole && !this.#isClosing && !this.#isReading) {
      this.#isWhole = false;
      this.#isReading = true;
      this.#reader.next();
      this.#isReading = false;
    }
    const isFull = this.#reader.heldBytes > limits.maxHttpHeadBytes;
    if (isFull) this.socket.pause();
    else if (!this.#isPaused && this.socket.isPaused() && !this.#answer?.isUpgraded) this.socket.resume();
  }

  #onAnswered(answer: Http1Answer): void {
    if (this.#answer !== answer) return;
    const isWhole = this.#isWhole;
    this.#answer = undefined;
    this.#body = undefined;
    this.#isPaused = false;
    if (answer.isUpgraded || this.socket.destroyed) return;
    if (answer.isBroken) return;
    if (this.#isClosing || answer.isLast || !isWhole || !this.socket.writable) return this.#endSocket();
    if (this.socket.readableEnded && this.#reader.heldBytes === 0) return void this.socket.end();
    this.#awaitHead();
    this.#goOn();
  }

  #onEnd(): void {
    const answer = this.#answer;
    if (answer?.isUpgraded || this.#isClosing) return;
    if (!answer) {
      if (this.#reader.isInHead) this.#close(400, "bad-request");
      else this.socket.end();
      return;
    }
    if (!this.#isWhole)
      return answer.fail(new PortholeError("protocol", "The visitor ended in the middle of its request"));
    this.#awaitTaking();
  }

  /** A visitor that has ended its direction has mostly left; as long as it takes the answer, it has not. */
  #awaitTaking(takenBefore = this.takenBytes): void {
    this.#deadline.set(limits.halfClosedVisitorMs, () => {
      if (this.takenBytes === takenBefore) this.socket.destroy();
      else this.#awaitTaking();
    });
  }

  #onClose(): void {
    this.#deadline.stop();
    this.#reader.stop();
    const left = (): PortholeError => new PortholeError("aborted", "The visitor left");
    if (this.#body && !this.#body.isWhole) this.#body.breakOff(left());
    this.#answer?.fail(left());
  }

  /** An answer of the gateway's own that ends the connection. */
  #close(status: number, kind: PageKind, request?: Http1RequestHead): void {
    const { headers, body } = pageFor(kind, request);
    if (this.socket.writable) {
      const head = answerHeadText(status, undefined, ["Connection", "close", ...headers]);
      this.socket.write(Buffer.concat([Buffer.from(head, "latin1"), ...(request?.method === "HEAD" ? [] : [body])]));
    }
    this.#endSocket();
  }

  /** Between requests there is one deadline, for silence and for heads that don't end. */
  #awaitHead(readBefore = this.socket.bytesRead): void {
    this.#deadline.set(limits.httpHeadDeadlineMs, () => {
      if (this.socket.bytesRead === readBefore) this.#endSocket();
      else this.#close(408, "request-timeout");
    });
  }

  /** A visitor that still sends must not get a reset before it has read the answer. */
  #endSocket(): void {
    this.#isClosing = true;
    this.#reader.stop();
    if (this.socket.destroyed) return;
    this.socket.end();
    this.socket.resume();
    this.#deadline.set(limits.visitorCloseMs, () => this.socket.destroy());
  }
}

function visitorRequest(head: Http1RequestHead, body: Body | undefined, expectsContinue: boolean): VisitorRequest {
  const { httpVersion, method, target, headers } = head;
  return { httpVersion, method, target, headers, body, expectsContinue, upgrade: webSocketOf(head) };
}

/** Any other protocol is left out: a server may ignore an upgrade (RFC 9110 section 7.8), and h2c would walk past every check of requests. */
function webSocketOf({ httpVersion, method, headers, framing }: Http1RequestHead): string | undefined {
  if (httpVersion !== "1.1" || method !== "GET" || framing.kind !== "none") return undefined;
  const upgrade = valueOf(headers, "upgrade");
  return upgrade && /^websocket$/i.test(upgrade) && hasValue(headers, "connection", /\bupgrade\b/i)
    ? upgrade
    : undefined;
}
