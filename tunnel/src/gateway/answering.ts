import type { PortholeError } from "@porthole/common/errors";
import { splice, type Clock } from "@porthole/common/util";
import type { Body, Exchange, RawHeaders, VisitorConnection, RequestReport } from "../http/index.ts";
import { pageFor, type PageKind } from "./visitors/pages.ts";
import type { Reply } from "./services/upstream.ts";
import type { Answer, VisitorRequest } from "./visitors/visitor.ts";

export interface AnsweringContext {
  readonly visitor: VisitorConnection;
  readonly clock: Clock;
  readonly onReport: (report: RequestReport) => void;
}

/** One answer on its way to the visitor: a service's or one of our own. Tells the observer, and reports once. */
export class Answering {
  /** Resolves when the visitor has all of it, or nothing more will come. */
  readonly done: Promise<void>;
  /** The exchange ends: whoever still works on it stops. */
  readonly onOver: (() => void)[] = [];
  isOver = false;
  readonly #request: VisitorRequest;
  readonly #answer: Answer;
  readonly #exchange: Exchange | undefined;
  readonly #context: AnsweringContext;
  readonly #startedAt: number;
  #status = 0;
  #isReported = false;
  #finish: () => void = () => {};

  constructor(request: VisitorRequest, answer: Answer, exchange: Exchange | undefined, context: AnsweringContext) {
    this.#request = request;
    this.#answer = answer;
    this.#exchange = exchange;
    this.#context = context;
    this.#startedAt = context.clock.monotonic();
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** An answer that is a page of ours. */
  page(status: number, kind: PageKind, headers: RawHeaders = [], error?: PortholeError): void {
    const page = pageFor(kind, this.#request);
    this.own(status, [...headers, ...page.headers], page.body, error);
  }

  /** `headers` have to say the length. */
  own(status: number, headers: RawHeaders, body: Buffer, error?: PortholeError): void {
    if (this.isOver || this.#answer.headSent) return;
    const head = { status, statusText: "", headers };
    this.#exchange?.responseHead({ ...head, by: "gateway" });
    this.#status = status;
    this.#answer.start(head, "body");
    if (body.length > 0 && this.#request.method !== "HEAD") {
      this.#exchange?.responseChunk(body);
      this.#answer.write(body);
    }
    this.#end([], error);
  }

  /** `headers` are the reply's, mapped for the visitor. */
  relay(reply: Extract<Reply, { readonly kind: "response" }>, body: Body, headers: RawHeaders): void {
    this.#exchange?.responseHead({ ...reply.head, by: "service" });
    this.#status = reply.head.status;
    this.#answer.start({ ...reply.head, headers }, reply.rest);
    const stop = body.carry({
      write: (chunk) => {
        this.#exchange?.responseChunk(chunk);
        return this.#answer.write(chunk);
      },
      onDrain: (callback) => this.#answer.onDrain(callback),
      end: () => this.#end(reply.trailers()),
      fail: (error) => this.fail(error),
    });
    this.onOver.push(stop);
  }

  /** From here on the bytes are those of another protocol. */
  upgrade({ head, socket }: Extract<Reply, { readonly kind: "upgrade" }>, headers: RawHeaders): void {
    this.#exchange?.upgraded({ ...head, by: "service" });
    this.#status = head.status;
    const visitor = this.#answer.upgrade({ ...head, headers });
    if (this.#exchange) {
      visitor.on("data", (chunk: Buffer) => this.#exchange?.upgradeChunk("visitor", chunk));
      socket.on("data", (chunk: Buffer) => this.#exchange?.upgradeChunk("service", chunk));
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
    if (this.#answer.headSent) {
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
      default:
        return this.page(500, "internal", [], error);
    }
  }

  #end(trailers: RawHeaders, error?: PortholeError): void {
    if (this.isOver) return;
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
    this.#finish();
  }

  #report(error?: PortholeError): void {
    if (this.#isReported) return;
    this.#isReported = true;
    const { visitor, clock, onReport } = this.#context;
    onReport({
      role: visitor.endpoint,
      address: visitor.address,
      hostname: visitor.hostname,
      traceId: visitor.traceId,
      method: this.#request.method,
      path: this.#request.target.split(/[?#]/, 1)[0] ?? "",
      status: this.#status,
      durationMs: clock.monotonic() - this.#startedAt,
      ...(error ? { error } : {}),
    });
  }
}
