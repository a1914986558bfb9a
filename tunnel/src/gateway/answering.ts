import type { PortholeError } from "@porthole/common/errors";
import { limits } from "./limits.ts";
import { splice, type Clock } from "@porthole/common/util";
import { valueOf, type Exchange, type RawHeaders, type RequestReport, type VisitorConnection } from "../http/index.ts";
import type { UnreadAnswers } from "./unread-answers.ts";
import { isOwnPoll, pageFor, type PageKind } from "./visitors/pages.ts";
import type { Reply } from "./services/upstream.ts";
import type { Answer, AnswerRest, VisitorRequest } from "./visitors/visitor.ts";

export interface AnsweringContext {
  readonly visitor: VisitorConnection;
  readonly clock: Clock;
  readonly onReport: (report: RequestReport) => void;
  readonly unread: Pick<UnreadAnswers, "written">;
  /** A service does not answer, answers something else than HTTP, or breaks off. */
  onServiceError(error: PortholeError): void;
}

const shortAnswerBytes = 16 * 1024;

/** One answer on its way to the visitor: a service's or one of our own. Notifies the observer, and reports once. */
export class Answering {
  /** Called when the exchange is over: each stops what still works on it. */
  readonly onOver: (() => void)[] = [];
  isOver = false;
  /** The visitor has been given an answer's head. */
  hasBegun = false;
  readonly #request: VisitorRequest;
  readonly #answer: Answer;
  readonly #exchange: Exchange | undefined;
  readonly #context: AnsweringContext;
  readonly #startedAt: number;
  readonly #onDone: () => void;
  #status = 0;
  #hasEnded = false;
  #isReported = false;

  /** `onDone` is called once, when the visitor has all of it, or nothing more will come. */
  constructor(
    request: VisitorRequest,
    answer: Answer,
    exchange: Exchange | undefined,
    context: AnsweringContext,
    onDone: () => void,
  ) {
    this.#request = request;
    this.#answer = answer;
    this.#exchange = exchange;
    this.#context = context;
    this.#onDone = onDone;
    this.#startedAt = context.clock.monotonic();
  }

  /** An answer that is a page of ours. */
  page(status: number, kind: PageKind, headers: RawHeaders = [], error?: PortholeError): void {
    // One a second from each tab that is open: it would bury what people look for. A service's answer to it is recorded.
    if (isOwnPoll(this.#request, kind)) {
      this.#exchange?.dismiss();
      this.#isReported = true;
    }
    const page = pageFor(kind, this.#request);
    const close = endsConnection.has(kind) ? ["Connection", "close"] : [];
    this.own(status, [...headers, ...page.headers, ...close], page.body, error);
  }

  /** `headers` have to say the length. */
  own(status: number, headers: RawHeaders, body: Buffer, error?: PortholeError): void {
    if (this.isOver || this.#answer.headSent) return;
    const head = { status, statusText: "", headers };
    this.#exchange?.responseHead({ ...head, by: "gateway" });
    this.#begin(status);
    this.#answer.start({ status, statusText: undefined, headers }, "body");
    if (body.length > 0 && this.#request.method !== "HEAD") {
      this.#exchange?.responseChunk(body);
      this.#answer.write(body);
    }
    this.#end([], error);
  }

  /** `headers` are the reply's, mapped for the visitor. */
  relay({ head, body, rest }: Extract<Reply, { readonly kind: "response" }>, headers: RawHeaders): void {
    const { status, statusText } = head;
    const exchange = this.#exchange;
    const answer = this.#answer;
    const { unread } = this.#context;
    exchange?.responseHead({ status, statusText: statusText ?? "", headers: head.headers, by: "service" });
    this.#begin(status);
    answer.start({ status, statusText, headers }, rest);
    this.onOver.push(() => body.discard());
    body.carry({
      write(chunk) {
        exchange?.responseChunk(chunk);
        const isTaken = answer.write(chunk);
        unread.written(chunk.length);
        return isTaken;
      },
      onDrain: (callback) => answer.onDrain(callback),
      end: (trailers) => this.#end(trailers),
      fail: (error) => {
        if (this.isOver) return;
        this.#context.onServiceError(error);
        if (error.code === "protocol" && answer.retract()) return this.page(502, "service-broke", [], error);
        this.fail(error);
      },
    });
    if (!this.#hasEnded) this.#flushSoon(isSmall(rest, headers));
  }

  /** Switches to another protocol: from here on all bytes are its own. */
  upgrade({ head, socket }: Extract<Reply, { readonly kind: "upgrade" }>, headers: RawHeaders): void {
    const { status, statusText } = head;
    const exchange = this.#exchange;
    exchange?.upgraded({ status, statusText: statusText ?? "", headers: head.headers, by: "service" });
    this.#begin(status);
    const visitor = this.#answer.upgrade({ ...head, headers });
    const { unread } = this.#context;
    socket.on("data", (chunk: Buffer) => unread.written(chunk.length));
    if (exchange) {
      visitor.on("data", (chunk: Buffer) => exchange.upgradeChunk("visitor", chunk));
      socket.on("data", (chunk: Buffer) => exchange.upgradeChunk("service", chunk));
    }
    this.onOver.push(() => {
      visitor.destroy();
      socket.destroy();
    });
    this.#report();
    splice(visitor, socket, ({ error }) => this.#over(error));
  }

  /** Ends it, as well as that is still possible. */
  fail(error: PortholeError): void {
    if (this.isOver) return;
    if (error.code === "aborted") return this.#over(error);
    if (this.#answer.headSent && !this.#answer.retract()) {
      this.#answer.breakOff(error);
      return this.#over(error);
    }
    switch (error.code) {
      case "protocol":
        return this.page(400, "bad-request", [], error);
      case "timeout":
        return this.page(408, "request-timeout", [], error);
      case "unauthorized":
        return this.page(403, "forbidden", [], error);
      case "closed":
        return this.page(502, "service-broke", [], error);
      default:
        return this.page(500, "internal", [], error);
    }
  }

  /**
   * What breaks off by the end of this turn has not begun for the visitor. A short answer of a known length waits for the rest of it: many services
   * send head and body one after the other, and one that breaks off in between is a clear 502.
   */
  #flushSoon(isSmall: boolean): void {
    const flush = (): void => this.#answer.flush();
    if (!isSmall) return void setImmediate(flush);
    const timer = this.#context.clock.timer(limits.shortAnswerMs, flush);
    this.onOver.push(() => timer.cancel());
  }

  #begin(status: number): void {
    this.#status = status;
    this.hasBegun = true;
  }

  #end(trailers: RawHeaders, error?: PortholeError): void {
    if (this.isOver) return;
    this.#hasEnded = true;
    this.#exchange?.responseEnd(trailers);
    this.#answer.end(trailers, () => this.#over(error));
    this.#report(error);
  }

  #over(error: PortholeError | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const stop of this.onOver.splice(0)) stop();
    this.#exchange?.end(error);
    this.#report(error);
    this.#onDone();
  }

  #report(error?: PortholeError): void {
    if (this.#isReported) return;
    this.#isReported = true;
    const { visitor, clock, onReport } = this.#context;
    const { method, target } = this.#request;
    onReport({
      role: visitor.endpoint,
      address: visitor.address,
      hostname: visitor.hostname,
      traceId: visitor.traceId,
      method,
      path: pathOf(target),
      status: this.#status,
      durationMs: clock.monotonic() - this.#startedAt,
      ...(error ? { error } : {}),
    });
  }
}

/** A visitor that could not say what it wants is not heard any further. */
const endsConnection: ReadonlySet<PageKind> = new Set([
  "bad-request",
  "misdirected",
  "request-timeout",
  "too-large",
  "unsupported",
]);

function isSmall(rest: AnswerRest, headers: RawHeaders): boolean {
  return rest === "body" && Number(valueOf(headers, "content-length")) <= shortAnswerBytes;
}

/** The path without the query, which may hold secrets. */
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
}
