import { PortholeError } from "@porthole/common/errors";
import { limits } from "@porthole/common/protocol";
import { withoutStripped, type AccessDecision, type Allowed } from "../access/index.ts";
import { Answering, type AnsweringContext } from "./answering.ts";
import { Body, valueOf, type Exchange, type ForwardedHead, type ServiceTarget } from "../http/index.ts";
import { toService, toVisitor, trailersToService, type Names } from "./header-modes.ts";
import { notHttp } from "./services/http1-upstream.ts";
import { localSide, type LocalNames } from "./services/local-side.ts";
import type { LocalService } from "./services/local-service.ts";
import type { GatewayOptions } from "./options.ts";
import { mayBeRefusal, peekBytes, refusedBy } from "./refusals.ts";
import { requestedHost } from "./requested-host.ts";
import { serviceFor } from "./services/routes.ts";
import type { ServiceModes } from "./service-modes.ts";
import type { Reply, Upstream, UpstreamCall } from "./services/upstream.ts";
import type { Answer, VisitorRequest } from "./visitors/visitor.ts";

/** What a request needs to know of its endpoint and of its connection. */
export interface RequestContext extends AnsweringContext {
  readonly options: GatewayOptions;
  /** The endpoint's own. */
  readonly local: LocalService;
  readonly localNames: LocalNames;
  readonly isOurName: (hostname: string) => boolean;
  readonly modes: ServiceModes;
  readonly targetOf: (service: LocalService) => ServiceTarget;
  /** Of this visitor's connection alone. */
  upstreamFor(service: LocalService): Upstream;
  /** A service has refused the public name. */
  onRefusal(service: LocalService, server: string): void;
  /** A service does not answer, or answers something else than HTTP. */
  onServiceError(error: PortholeError): void;
}

/** One request from its head to the end of its answer. Never rejects. */
export function serveRequest(request: VisitorRequest, answer: Answer, context: RequestContext): Promise<void> {
  const exchange = context.options.observer?.begin({
    visitor: context.visitor,
    scheme: "https",
    httpVersion: request.httpVersion,
    method: request.method,
    target: request.target,
    headers: request.headers,
  });
  const answering = new Answering(request, answer, exchange, context);
  answer.onTrouble((error) => answering.fail(error));
  new RequestRun(request, answer, exchange, answering, context)
    .run()
    .catch((reason: unknown) => answering.fail(PortholeError.from(reason)));
  return answering.done;
}

/** Requests that may be sent twice without asking. */
const safeMethods = ["GET", "HEAD", "OPTIONS"];
/** A connection that was idle may be closed by the service at the moment of the request, and so may the next one. */
const maxAttempts = 4;

class RequestRun {
  readonly #request: VisitorRequest;
  readonly #answer: Answer;
  readonly #exchange: Exchange | undefined;
  readonly #answering: Answering;
  readonly #context: RequestContext;
  readonly #body: Body | undefined;

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
    this.#body = request.body && new Body(request.body, () => request.isWhole());
    answering.onOver.push(() => this.#body?.discard());
  }

  async run(): Promise<void> {
    const { options, isOurName, visitor } = this.#context;
    const asked = requestedHost(this.#request, visitor.hostname, isOurName);
    if ("page" in asked) return this.#answering.page(asked.status, asked.page);
    if (options.paused) return this.#answering.page(503, "paused");
    const checked = options.access?.check({
      visitor,
      method: this.#request.method,
      target: asked.target,
      headers: this.#request.headers,
      body: (maxBytes) => this.#wholeBody(maxBytes),
    });
    const decision: AccessDecision | undefined = checked instanceof Promise ? await checked : checked;
    if (this.#answering.isOver) return;
    if (decision && !decision.allow) {
      const { status, page, headers } = decision;
      if (page) this.#answering.page(status, page, headers);
      else this.#answering.own(status, [...headers, "Content-Length", "0"], Buffer.alloc(0));
      return;
    }
    if (decision?.until) this.#endWith(decision.until);
    await this.#forward(asked.authority, asked.target, decision);
  }

  async #forward(publicAuthority: string, asked: string, allowed: Allowed | undefined): Promise<void> {
    const { options, visitor, modes, local, localNames } = this.#context;
    const { target, headers } = withoutStripped({ target: asked, headers: this.#request.headers }, allowed?.strip);
    const service = serviceFor(options.routes, target, local);
    const serviceTarget = this.#context.targetOf(service);
    if (this.#request.upgrade !== undefined && serviceTarget.kind === "h2c")
      return this.#answering.page(501, "unsupported");
    const length = this.#body && valueOf(headers, "content-length");
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const mode = modes.of(service, options.headers);
      const names: Names = { mode, publicAuthority, local: localSide(service), localNames };
      const forwarded = toService(headers, visitor, names);
      if (length !== undefined) forwarded.push("Content-Length", length);
      const head: ForwardedHead = { service: serviceTarget, method: this.#request.method, target, headers: forwarded };
      const upstream = this.#context.upstreamFor(service);
      const turn = upstream.turn();
      if (turn) await turn;
      if (this.#answering.isOver) return;
      const call = this.#send(upstream, head, length === undefined ? "chunked" : "sized");
      if (!call) return;
      const canAdapt = mode === "transparent" && options.headers === "auto";
      const reply = await this.#replyTo(call, attempt, (error) => canAdapt && this.#isRefusal(service, error, target));
      if (this.#answering.isOver || !reply) return;
      if (reply === "again") continue;
      const body = reply.kind === "response" ? new Body(reply.body, () => reply.isWhole()) : undefined;
      if (body && canAdapt) {
        const again = await this.#adapt(service, reply, body, target);
        if (this.#answering.isOver) return;
        if (again) {
          call.abort();
          continue;
        }
      }
      const mapped = toVisitor(reply.head.headers, names);
      for (const cookie of allowed?.setCookies ?? []) mapped.push("Set-Cookie", cookie);
      if (reply.kind === "upgrade")
        this.#answering.upgrade(reply, [...mapped, "Connection", "Upgrade", "Upgrade", this.#request.upgrade ?? ""]);
      else if (body) this.#answering.relay(reply, body, mapped);
      return;
    }
  }

  #send(upstream: Upstream, head: ForwardedHead, framing: "sized" | "chunked"): UpstreamCall | undefined {
    this.#exchange?.forwarded(head);
    let call: UpstreamCall;
    try {
      call = upstream.send(head, {
        body: this.#body ? framing : "none",
        upgrade: this.#request.upgrade,
        onInform: (status, headers) => this.#answer.inform(status, headers),
      });
    } catch {
      // Node's client refuses what could be read as more than one request.
      this.#answering.page(400, "bad-request");
      return undefined;
    }
    this.#answering.onOver.push(() => call.abort());
    if (this.#body) this.#carry(this.#body, call);
    else {
      call.end([]);
      this.#exchange?.requestEnd([]);
    }
    return call;
  }

  #carry(body: Body, call: UpstreamCall): void {
    // Before the body: one that was read for its signature ends within the call.
    const stopWatching = this.#watchForStalls(body);
    const stop = body.carry({
      write: (chunk) => {
        this.#exchange?.requestChunk(chunk);
        return call.write(chunk);
      },
      onDrain: (callback) => call.onDrain(callback),
      end: () => {
        stopWatching();
        const trailers = this.#request.trailers();
        this.#exchange?.requestEnd(trailers);
        call.end(trailersToService(trailers));
      },
      // A visitor who left is told by the answer.
      fail: () => {},
    });
    this.#answering.onOver.push(() => {
      stop();
      stopWatching();
    });
  }

  /** Undefined when that was the end of it. */
  async #replyTo(
    call: UpstreamCall,
    attempt: number,
    isRefusal: (error: PortholeError) => boolean,
  ): Promise<Reply | "again" | undefined> {
    try {
      return await call.reply;
    } catch (reason) {
      if (this.#answering.isOver) return undefined;
      const error = PortholeError.from(reason);
      const isSafe = !this.#body && safeMethods.includes(this.#request.method);
      const wasUnused = error.code === "closed" && call.isReused;
      if (isSafe && attempt < maxAttempts && (wasUnused || isRefusal(error))) return "again";
      this.#context.onServiceError(error);
      this.#answering.page(502, error.code === "service-down" ? "service-down" : "service-broke", [], error);
      return undefined;
    }
  }

  /** Whether the service has refused the public name, and the request may be sent again in the other mode. */
  async #adapt(service: LocalService, { head }: Reply, body: Body, target: string): Promise<boolean> {
    if (!mayBeRefusal(head.status, head.headers)) return false;
    const { bytes } = await body.peek(peekBytes, {
      clock: this.#context.clock,
      delayMs: limits.refusalPeekMs,
    });
    const server = refusedBy(head.status, target, bytes);
    if (server === undefined) return false;
    this.#context.onRefusal(service, server);
    return !this.#body && safeMethods.includes(this.#request.method);
  }

  /** Next.js refuses a WebSocket with a word and no HTTP around it. */
  #isRefusal(service: LocalService, error: PortholeError, target: string): boolean {
    const said = notHttp(error);
    const server = said && refusedBy(0, target, said);
    if (server === undefined) return false;
    this.#context.onRefusal(service, server);
    return true;
  }

  async #wholeBody(maxBytes: number): Promise<Buffer | undefined> {
    if (!this.#body) return Buffer.alloc(0);
    if (Number(valueOf(this.#request.headers, "content-length") ?? 0) > maxBytes) return undefined;
    const stopWatching = this.#watchForStalls(this.#body);
    this.#answering.onOver.push(stopWatching);
    if (this.#request.expectsContinue) this.#answer.inform(100, []);
    try {
      const { bytes, isWhole } = await this.#body.peek(maxBytes);
      return isWhole ? bytes : undefined;
    } finally {
      stopWatching();
    }
  }

  /** A visitor whose body is waited for and does not come. */
  #watchForStalls(body: Body): () => void {
    const { clock } = this.#context;
    let { bytes } = body;
    const check = (): void => {
      if (body.bytes === bytes && !body.isHeldUp)
        return this.#answering.fail(new PortholeError("timeout", "The request's body did not go on"));
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
