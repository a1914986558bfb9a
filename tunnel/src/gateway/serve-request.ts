import { PortholeError } from "@porthole/common/errors";
import { limits } from "./limits.ts";
import type { AccessDecision } from "../access/index.ts";
import { valueOf, type Body, type Exchange } from "../http/index.ts";
import { Answering } from "./answering.ts";
import { Forward } from "./forward.ts";
import type { RequestContext } from "./request-context.ts";
import { toVisitor, trailersToService } from "./header-modes.ts";
import { requestedHost } from "./requested-host.ts";
import { isRepeatable } from "./services/http1-upstream.ts";
import type { CallFailure, Reply, SendInit, UpstreamCall } from "./services/upstream.ts";
import { mayRefuseName } from "./refusals.ts";
import { isOwnPoll } from "./visitors/pages.ts";
import type { Answer, VisitorRequest } from "./visitors/visitor.ts";

/** One request from its head to the end of its answer. Never throws. */
export function serveRequest(
  request: VisitorRequest,
  answer: Answer,
  context: RequestContext,
  onOver: () => void,
): void {
  const exchange = context.options.observer?.begin({
    visitor: context.visitor,
    scheme: "https",
    httpVersion: request.httpVersion,
    method: request.method,
    target: request.target,
    headers: request.headers,
  });
  const answering = new Answering(request, answer, exchange, context, onOver);
  answer.onTrouble((error) => answering.fail(error));
  new RequestRun(request, answer, exchange, answering, context).start();
}

/** A connection that was idle may be closed by the service at the moment of the request, and so may the next one. */
const maxAttempts = 4;

class RequestRun {
  readonly #request: VisitorRequest;
  readonly #answer: Answer;
  readonly #exchange: Exchange | undefined;
  readonly #answering: Answering;
  readonly #context: RequestContext;
  readonly #body: Body | undefined;
  #attempts = 0;
  #call: UpstreamCall | undefined;
  #isCarried = false;

  constructor(
    request: VisitorRequest,
    answer: Answer,
    exchange: Exchange | undefined,
    answering: Answering,
    context: RequestContext,
  ) {
    this.#request = request;
    this.#answer = answer;
    this.#exchange = exchange;
    this.#answering = answering;
    this.#context = context;
    this.#body = request.body;
    answering.onOver.push(() => {
      this.#call?.abort();
      this.#body?.discard();
    });
  }

  /** Starts synchronously where nothing has to be waited for: a request without secrets costs no turn of the event loop. */
  start(): void {
    try {
      const { options, isOurName, visitor } = this.#context;
      const asked = requestedHost(this.#request, visitor.hostname, isOurName);
      if ("page" in asked) return this.#answering.page(asked.status, asked.page);
      if (options.paused) return this.#answering.page(503, "paused");
      const decision = options.access?.check({
        visitor,
        method: this.#request.method,
        target: asked.target,
        headers: this.#request.headers,
        body: (maxBytes, onBytes) => this.#wholeBody(maxBytes, onBytes),
      });
      if (decision instanceof Promise)
        decision.then((decided) => this.#decided(asked, decided), this.#fail).catch(this.#fail);
      else this.#decided(asked, decision);
    } catch (reason) {
      this.#fail(reason);
    }
  }

  readonly #fail = (reason: unknown): void => this.#answering.fail(PortholeError.from(reason));

  #decided(
    { authority, target }: { readonly authority: string; readonly target: string },
    decision: AccessDecision | undefined,
  ): void {
    if (this.#answering.isOver) return;
    if (decision && !decision.allow) {
      const { status, page, headers } = decision;
      if (page) this.#answering.page(status, page, headers);
      else this.#answering.own(status, [...headers, "Content-Length", "0"], Buffer.alloc(0));
      return;
    }
    if (decision?.until) this.#endWith(decision.until);
    const forward = new Forward(this.#context, this.#request, authority, target, decision);
    const first = this.#mayBeEmpty(forward.length);
    if (first) first.then((isEmpty) => this.#send(forward, isEmpty ? "none" : "chunked"), this.#fail).catch(this.#fail);
    else this.#send(forward, !this.#body ? "none" : forward.length === undefined ? "chunked" : "sized");
  }

  /** HTTP/2 can end a request with an empty frame: it had no body then, and servers refuse one where they expect none. */
  #mayBeEmpty(length: string | undefined): Promise<boolean> | undefined {
    const { httpVersion, method } = this.#request;
    const body = this.#body;
    if (!body || httpVersion !== "2" || length !== undefined || ["POST", "PUT", "PATCH"].includes(method))
      return undefined;
    const { clock } = this.#context;
    return body
      .peek(0, { clock, delayMs: limits.emptyBodyPeekMs })
      .then(({ bytes, isWhole }) => isWhole && bytes.length === 0);
  }

  #send(forward: Forward, framing: SendInit["body"]): void {
    const turn = forward.upstream.turn();
    if (!turn) return this.#sendNow(forward, framing);
    turn.then(() => this.#sendNow(forward, framing)).catch(this.#fail);
  }

  #sendNow(forward: Forward, framing: SendInit["body"]): void {
    if (this.#answering.isOver) return;
    this.#attempts += 1;
    const head = forward.head();
    this.#exchange?.forwarded(head);
    const call = forward.upstream.send(head, {
      body: framing,
      upgrade: this.#request.upgrade,
      onInform: (status, statusText, headers) => {
        if (!this.#answering.isOver) this.#answer.inform(status, statusText, toVisitor(headers, forward.names));
      },
      onReply: (reply) => this.#onReply(forward, framing, reply),
      onFailure: (failure) => this.#onFailure(forward, framing, failure),
    });
    this.#call = call;
    if (this.#body && framing !== "none") this.#carry(this.#body, call, framing);
    else {
      call.end([]);
      this.#exchange?.requestEnd([]);
    }
  }

  #carry(body: Body, call: UpstreamCall, framing: SendInit["body"]): void {
    this.#isCarried = true;
    // A body without a length is a stream: it lives as long as both sides want.
    const stopWatching = framing === "sized" ? this.#watchForStalls(body, () => this.#answering.hasBegun) : undefined;
    if (stopWatching) this.#answering.onOver.push(stopWatching);
    body.carry({
      write: (chunk) => {
        this.#exchange?.requestChunk(chunk);
        return call.write(chunk);
      },
      onDrain: (callback) => call.onDrain(callback),
      end: (trailers) => {
        stopWatching?.();
        this.#exchange?.requestEnd(trailers);
        call.end(trailersToService(trailers));
      },
      // A visitor that has left is reported by the answer.
      fail: () => {},
    });
  }

  #onReply(forward: Forward, framing: SendInit["body"], reply: Reply): void {
    if (this.#answering.isOver) return;
    try {
      const suspicion = mayRefuseName(reply.head.status, reply.head.headers) ? this.#suspect(forward) : undefined;
      if (!suspicion) return this.#relay(forward, reply);
      suspicion
        .then((isRefused) => {
          if (this.#answering.isOver) return;
          if (!isRefused || !this.#canRepeat(framing)) return this.#relay(forward, reply);
          this.#call?.abort();
          this.#send(forward, framing);
        })
        .catch(this.#fail);
    } catch (reason) {
      this.#fail(reason);
    }
  }

  #onFailure(forward: Forward, framing: SendInit["body"], failure: CallFailure): void {
    if (this.#answering.isOver) return;
    const { error, wasReused, said } = failure;
    const canRepeat = this.#canRepeat(framing) && this.#attempts < maxAttempts;
    if (canRepeat && wasReused && error.code === "closed") return this.#send(forward, framing);
    const suspicion = said && said.length > 0 ? this.#suspect(forward) : undefined;
    if (!suspicion) return this.#giveUp(forward, error);
    suspicion
      .then((isRefused) => {
        if (isRefused && canRepeat && !this.#answering.isOver) this.#send(forward, framing);
        else this.#giveUp(forward, error);
      })
      .catch(this.#fail);
  }

  #giveUp({ service }: Forward, error: PortholeError): void {
    if (this.#answering.isOver) return;
    if (error.code === "service-down") this.#context.modes.expire(service);
    if (!isOwnPoll(this.#request, "service-down")) this.#context.onServiceError(error);
    if (error.code === "unavailable") return this.#answering.page(501, "unsupported", [], error);
    this.#answering.page(502, error.code === "service-down" ? "service-down" : "service-broke", [], error);
  }

  #suspect({ service, names, path }: Forward): Promise<boolean> | undefined {
    const canAdapt = names.mode === "transparent" && this.#context.options.headers === "auto";
    return canAdapt ? this.#context.suspectRefusal(service, path) : undefined;
  }

  #canRepeat(framing: SendInit["body"]): boolean {
    return isRepeatable(this.#request.method, framing !== "none") && !this.#isCarried;
  }

  #relay(forward: Forward, reply: Reply): void {
    const { status } = reply.head;
    // Node's HTTP/2 sends no others, and HTTP has none (RFC 9110 section 15).
    if (status > 599 && this.#request.httpVersion === "2")
      return this.#giveUp(
        forward,
        new PortholeError("protocol", `The local service's answer has the status ${status}`),
      );
    const mapped = toVisitor(reply.head.headers, forward.names);
    for (const cookie of forward.allowed?.setCookies ?? []) mapped.push("Set-Cookie", cookie);
    if (reply.kind === "upgrade") {
      const protocol = valueOf(reply.head.headers, "upgrade") ?? this.#request.upgrade ?? "";
      this.#answering.upgrade(reply, [...mapped, "Upgrade", protocol]);
    } else this.#answering.relay(reply, mapped);
  }

  async #wholeBody(maxBytes: number, onBytes: (bytes: number) => void): Promise<Buffer | undefined> {
    if (!this.#body) return Buffer.alloc(0);
    if (Number(valueOf(this.#request.headers, "content-length") ?? 0) > maxBytes) return undefined;
    const stopWatching = this.#watchForStalls(this.#body, () => false);
    this.#answering.onOver.push(stopWatching);
    if (this.#request.expectsContinue) this.#answer.inform(100, undefined, []);
    try {
      const { bytes, isWhole } = await this.#body.peek(maxBytes, undefined, onBytes);
      return isWhole ? bytes : undefined;
    } finally {
      stopWatching();
    }
  }

  /** Gives a visitor up whose body is waited for and comes too slowly, until `isDone`. */
  #watchForStalls(body: Body, isDone: () => boolean): () => void {
    const { clock } = this.#context;
    let { bytes } = body;
    const check = (): void => {
      if (isDone()) return;
      if (body.bytes - bytes < limits.httpBodyLeastBytes && !body.isHeldUp)
        return this.#answering.fail(new PortholeError("timeout", "The request's body did not continue"));
      bytes = body.bytes;
      timer = clock.timer(limits.httpBodyStallMs, check);
    };
    let timer = clock.timer(limits.httpBodyStallMs, check);
    return () => timer.cancel();
  }

  #endWith(until: AbortSignal): void {
    const end = (): void =>
      this.#answering.fail(new PortholeError("unauthorized", "What had let this visitor in has ended"));
    if (until.aborted) return end();
    until.addEventListener("abort", end, { once: true });
    this.#answering.onOver.push(() => until.removeEventListener("abort", end));
  }
}
