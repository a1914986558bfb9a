import {
  CancellationTokenSource,
  createMessageConnection,
  NullLogger,
  type CancellationToken,
  type MessageConnection,
} from "vscode-jsonrpc/node";
import { PortholeError } from "@porthole/common/errors";
import { orAbort } from "@porthole/common/util";
import type { Method, NotificationName, Notifications, Requests, SignParams, SignResult } from "./contract/index.ts";
import { fromResponseError, signerError, toResponseError } from "./errors.ts";
import { GuardedReader, MeasuredWriter } from "./framing.ts";
import type { RpcStreams } from "./server.ts";

/** A visitor's request with its body may be in an answer. */
const maxMessageBytes = 64 * 1024 * 1024;

/** A running daemon, as the program that drives it sees it. */
export interface DaemonConnection {
  /** The answer, or a `PortholeError` with the daemon's code: `closed` when the daemon is gone, `aborted` by the signal. */
  call<M extends Method>(
    method: M,
    params: Requests[M][0],
    init?: { readonly signal?: AbortSignal },
  ): Promise<Requests[M][1]>;
  /** Calls back for each; returns a function that ends that. */
  on<N extends NotificationName>(name: N, listener: (params: Notifications[N]) => void): () => void;
  /** Resolves, never rejects, when the daemon is gone or `close` was called, with the reason. */
  readonly closed: Promise<PortholeError>;
  /** Ends the daemon's input, which is how it learns that nobody needs it any more. */
  close(): void;
}

export interface DaemonConnectionOptions {
  /**
   * Signs by the keys that this program names by their public halves. For ECDSA the signature is DER, or r and s behind one another. The
   * daemon is told the text of what it throws. The signal aborts when the signature is not needed any more.
   */
  readonly sign?: ((params: SignParams, signal: AbortSignal) => Promise<Uint8Array>) | undefined;
}

/** `input` is what the daemon writes, `output` what it reads: a child's stdout and stdin. */
export function connectDaemon(streams: RpcStreams, options: DaemonConnectionOptions = {}): DaemonConnection {
  return new StreamConnection(streams, options);
}

class StreamConnection implements DaemonConnection {
  readonly closed: Promise<PortholeError>;
  readonly #reader: GuardedReader;
  readonly #connection: MessageConnection;
  readonly #output: RpcStreams["output"];
  readonly #listeners = new Map<string, Set<(params: never) => void>>();
  #resolveClosed: (reason: PortholeError) => void = () => {};
  #reason: PortholeError | undefined;

  constructor({ input, output }: RpcStreams, { sign }: DaemonConnectionOptions) {
    this.#output = output;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#reader = new GuardedReader(input, maxMessageBytes);
    this.#reader.onError((reason) =>
      this.#end(new PortholeError("protocol", "The daemon wrote something else than messages", { cause: reason })),
    );
    this.#connection = createMessageConnection(this.#reader, new MeasuredWriter(output), NullLogger, {
      messageStrategy: {
        handleMessage: (message, next) => {
          this.#reader.noteHandled();
          return next(message);
        },
      },
    });
    this.#connection.onNotification((method, params) => this.#dispatch(method, params));
    if (sign) this.#connection.onRequest("identity/sign", answerWith(sign));
    this.#connection.onError(() => {});
    this.#connection.onClose(() => this.#endWhenHandled(new PortholeError("closed", "The daemon has ended")));
    this.#connection.listen();
  }

  async call<M extends Method>(
    method: M,
    params: Requests[M][0],
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Requests[M][1]> {
    if (this.#reason) throw this.#reason;
    signal?.throwIfAborted();
    const source = new CancellationTokenSource();
    const cancel = (): void => source.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      const answer = this.#connection.sendRequest<Requests[M][1]>(method, params, source.token);
      return await (signal ? orAbort(signal, answer) : answer);
    } catch (reason) {
      if (signal?.aborted) throw signal.reason;
      throw this.#reason ?? fromResponseError(reason);
    } finally {
      signal?.removeEventListener("abort", cancel);
      source.dispose();
    }
  }

  on<N extends NotificationName>(name: N, listener: (params: Notifications[N]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  close(): void {
    this.#end(new PortholeError("aborted", "The connection to the daemon was closed"));
  }

  #dispatch(method: string, params: unknown): void {
    for (const listener of this.#listeners.get(method) ?? []) listener(params as never);
  }

  /** The library handles one message in each turn of the event loop, some turns after it has come. */
  #endWhenHandled(reason: PortholeError, turnsLeft = 10_000): void {
    if (this.#reader.unhandled === 0 || turnsLeft === 0) this.#end(reason);
    else if (!this.#reason) setImmediate(() => this.#endWhenHandled(reason, turnsLeft - 1));
  }

  #end(reason: PortholeError): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#output.end();
    // Rejects what waits for an answer.
    this.#connection.dispose();
    this.#reader.dispose();
    this.#resolveClosed(reason);
  }
}

function answerWith(sign: Exclude<DaemonConnectionOptions["sign"], undefined>) {
  return async (params: SignParams, token: CancellationToken): Promise<SignResult> => {
    const cancelled = new AbortController();
    token.onCancellationRequested(() => cancelled.abort(new PortholeError("aborted", "The signature is not needed")));
    try {
      return { signature: Buffer.from(await sign(params, cancelled.signal)).toString("base64") };
    } catch (reason) {
      throw toResponseError(signerError(reason));
    }
  };
}
