import type { Readable, Writable } from "node:stream";
import {
  CancellationTokenSource,
  createMessageConnection,
  ErrorCodes,
  NullLogger,
  ResponseError,
  type CancellationToken,
  type Message,
  type MessageConnection,
} from "vscode-jsonrpc/node";
import { PortholeError } from "@porthole/common/errors";
import { withDeadline, type Clock, type Timer } from "@porthole/common/util";
import type { Method, NotificationName, Notifications, Requests, SignParams, SignResult } from "./contract/index.ts";
import { fromResponseError, rpcErrorData, toResponseError } from "./errors.ts";
import { GuardedReader, MeasuredWriter } from "./framing.ts";
import { isMethod, readParams, readSignResult } from "./params.ts";

export const rpcLimits = {
  /** A key, a handful of relays: kilobytes. */
  maxRequestBytes: 4 * 1024 * 1024,
  /** Requests that are being worked on. */
  maxRequests: 64,
  /** What the caller has not read yet of our answers; above it nothing more is taken from it. */
  maxPendingBytes: 8 * 1024 * 1024,
  /** How long it may stay above that. */
  stalledMs: 60_000,
  /** The longest that any request may take, whatever its own deadlines are. */
  requestMs: 120_000,
  /** How long a caller that sent something else than messages has for reading the error that says so. */
  refusalMs: 2_000,
} as const;

export interface RpcStreams {
  readonly input: Readable;
  readonly output: Writable;
}

/** A program that signs by a key of its own. */
export interface KeyHolder {
  /** Rejects with the program's own reason when it does not sign. */
  sign(params: SignParams, signal: AbortSignal): Promise<SignResult>;
  /** Resolves, never rejects, when it has left. */
  readonly left: Promise<void>;
}

export interface CallContext {
  /** Who calls, where that is a program that can be asked for signatures. */
  readonly holder?: KeyHolder | undefined;
  /** Aborts when the caller cancels the request or leaves, and at the latest after `requestMs`: it is answered then, whatever the handler does. */
  readonly signal: AbortSignal;
}

type Handler<M extends Method> = (
  params: Requests[M][0],
  context: CallContext,
) => Requests[M][1] | Promise<Requests[M][1]>;

/** Handles each request once the caller has introduced itself. */
export type Handlers = { readonly [M in Exclude<Method, "initialize">]: Handler<M> };

type AllHandlers = { readonly [M in Method]: Handler<M> };

export interface RpcService {
  /** Called until it succeeds; then the handlers take over. */
  initialize(params: Requests["initialize"][0]): Promise<{
    readonly result: Requests["initialize"][1];
    readonly handlers: Handlers;
  }>;
}

/** Serves requests until the input ends. Invalid requests get an error; what is not a message ends the connection after an error that says so. */
export class RpcServer {
  /** Resolves, never rejects, when the caller has left or `close` was called. */
  readonly closed: Promise<void>;
  /** The program at the other end. */
  readonly holder: KeyHolder;
  readonly #reader: GuardedReader;
  readonly #service: RpcService;
  readonly #clock: Clock;
  readonly #writer: MeasuredWriter;
  readonly #connection: MessageConnection;
  readonly #leave = new AbortController();
  readonly #onIdle: (() => void)[] = [];
  #working = 0;
  #stalled: Timer | undefined;
  #refusal: Timer | undefined;
  /** While `initialize` is under way, and afterwards. */
  #initializing: Promise<Handlers> | undefined;

  constructor({ input, output }: RpcStreams, service: RpcService, clock: Clock) {
    this.#service = service;
    this.#clock = clock;
    this.#reader = new GuardedReader(input, rpcLimits.maxRequestBytes);
    this.#reader.onError((error) => this.#refuse(error));
    this.#writer = new MeasuredWriter(output, () => this.#onWritten());
    this.#connection = createMessageConnection(this.#reader, this.#writer, NullLogger, {
      messageStrategy: {
        handleMessage: (message, next) => {
          this.#reader.noteHandled();
          return next(message);
        },
      },
    });
    this.#connection.onRequest((method, params, token) => this.#answer(method, params, token));
    // Notifications from the caller: cancellations are the library's, others mean nothing to this version.
    this.#connection.onNotification(() => {});
    this.#connection.onUnhandledNotification(() => {});
    this.#connection.onError(() => {});
    this.closed = new Promise((resolve) => {
      this.#leave.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    this.holder = { sign: (params, signal) => this.#sign(params, signal), left: this.closed };
    this.#connection.onClose(() => {
      if (!this.#refusal) this.close();
    });
    this.#connection.listen();
  }

  /** Resolves once the system has taken the notification; rejects when nobody can get it any more. */
  async notify<N extends NotificationName>(name: N, params: Notifications[N]): Promise<void> {
    await this.#connection.sendNotification(name, params);
  }

  /** Resolves when every request is answered, and the system has taken the answers. */
  async idle(): Promise<void> {
    if (this.#working === 0 && this.#writer.writing === 0) return;
    await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Reads and writes nothing more. The streams stay their owner's. */
  close(): void {
    if (this.#leave.signal.aborted) return;
    this.#leave.abort(new PortholeError("closed", "The caller has left"));
    this.#stalled?.cancel();
    this.#refusal?.cancel();
    this.#connection.dispose();
    this.#reader.dispose();
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  async #answer(method: string, params: unknown, token: CancellationToken): Promise<unknown> {
    if (!isMethod(method))
      return toResponseError(
        new PortholeError("usage", `There is no request ${JSON.stringify(method.slice(0, 100))}`, {
          hint: "docs/rpc.md lists them; a newer daemon may know more.",
        }),
        ErrorCodes.MethodNotFound,
      );
    if (this.#working >= rpcLimits.maxRequests)
      return toResponseError(
        new PortholeError("busy", `${rpcLimits.maxRequests} requests are under way`, { retryAfterMs: 1_000 }),
      );
    let checked: Requests[Method][0];
    try {
      checked = readParams(method, params);
    } catch (reason) {
      return toResponseError(reason, ErrorCodes.InvalidParams);
    }
    this.#working += 1;
    try {
      return await this.#call(method, checked, token);
    } catch (reason) {
      return toResponseError(reason);
    } finally {
      this.#working -= 1;
      // The answer is written in a later turn.
      setImmediate(() => this.#onWritten());
    }
  }

  async #call<M extends Method>(method: M, params: Requests[M][0], token: CancellationToken): Promise<Requests[M][1]> {
    const handler: AllHandlers[M] = (await this.#table(method))[method];
    const cancelled = new AbortController();
    const cancellation = token.onCancellationRequested(() =>
      cancelled.abort(new PortholeError("aborted", `${method} was cancelled`)),
    );
    const parent = AbortSignal.any([this.#leave.signal, cancelled.signal]);
    try {
      return await withDeadline(
        { clock: this.#clock, delayMs: rpcLimits.requestMs, what: method, signal: parent },
        async (signal) => handler(params, { signal, holder: this.holder }),
      );
    } finally {
      cancellation.dispose();
    }
  }

  async #sign(params: SignParams, signal: AbortSignal): Promise<SignResult> {
    const source = new CancellationTokenSource();
    const cancel = (): void => source.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return readSignResult(await this.#connection.sendRequest("identity/sign", params, source.token));
    } catch (reason) {
      const isUnknown = reason instanceof ResponseError && reason.code === ErrorCodes.MethodNotFound;
      if (isUnknown) throw new PortholeError("signer", "the program does not know identity/sign", { cause: reason });
      throw fromResponseError(reason);
    } finally {
      signal.removeEventListener("abort", cancel);
      source.dispose();
    }
  }

  async #table(method: Method): Promise<AllHandlers> {
    const initialize: AllHandlers["initialize"] = (params) => this.#initialize(params);
    const handlers = method === "initialize" ? undefined : await this.#initializing?.catch(() => undefined);
    if (!handlers && method !== "initialize")
      throw new PortholeError("usage", `${method} came before initialize`, { hint: "Call initialize first." });
    return { ...handlers, initialize } as AllHandlers;
  }

  async #initialize(params: Requests["initialize"][0]): Promise<Requests["initialize"][1]> {
    if (this.#initializing) throw new PortholeError("usage", "initialize was called before");
    const outcome = this.#service.initialize(params);
    this.#initializing = outcome.then(({ handlers }) => handlers);
    this.#initializing.catch(() => {});
    try {
      return (await outcome).result;
    } catch (reason) {
      this.#initializing = undefined;
      throw reason;
    }
  }

  #refuse(reason: Error): void {
    if (this.#refusal || this.#leave.signal.aborted) return;
    this.#refusal = this.#clock.timer(rpcLimits.refusalMs, () => this.close());
    const data = rpcErrorData(reason);
    const answer = {
      jsonrpc: "2.0",
      id: null,
      error: { code: ErrorCodes.InvalidRequest, message: data.message, data },
    };
    this.#writer.write(answer as Message).then(
      () => this.close(),
      () => this.close(),
    );
  }

  /** A caller that does not read its responses gets to send nothing more, until it does or until the deadline. */
  #onWritten(): void {
    if (this.#leave.signal.aborted) return;
    const isFull = this.#writer.pendingBytes > rpcLimits.maxPendingBytes;
    if (isFull && !this.#stalled) {
      this.#reader.pause();
      this.#stalled = this.#clock.timer(rpcLimits.stalledMs, () => this.close());
    } else if (!isFull && this.#stalled) {
      this.#stalled.cancel();
      this.#stalled = undefined;
      this.#reader.resume();
    }
    if (this.#working === 0 && this.#writer.writing === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}
