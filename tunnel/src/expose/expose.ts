import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { AsyncQueue, dataFolder, orAbort, systemClock, withDeadline } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { createDialers } from "../dialers/index.ts";
import {
  fromRpcErrorData,
  readyUrl,
  type IdentityRef,
  type LogLine,
  type RelaySpec,
  type RequestView,
  type TunnelSpec,
  type TunnelStateView,
} from "../rpc/index.ts";
import { openRuntime, type Runtime } from "../rpc/daemon/index.ts";
import { serve, type Exposable, type Served } from "./serve.ts";
import { isSigningIdentity, signingIdentity, type SigningIdentity } from "./signing-identity.ts";

export type { Exposable } from "./serve.ts";

const defaultTimeoutMs = 120_000;
/** Requests that wait for their reader. */
const maxWaiting = 1_000;

/** How something is exposed. Everything may be left out where the user has joined a relay (`porthole join`). */
export interface ExposeOptions extends Pick<
  TunnelSpec,
  | "access"
  | "acme"
  | "headers"
  | "localProxyProtocol"
  | "mode"
  | "name"
  | "poolSize"
  | "routes"
  | "suffix"
  | "transport"
> {
  /** `porthole://join?...`, from the relay's operator. It is used up by the first start and does no harm afterwards. */
  readonly invite?: string;
  /** The relay, as `host`, `host:port` or with its fingerprint. Defaults to the invite's, or else the joined ones. */
  readonly relay?: string | RelaySpec;
  /**
   * Chooses the public address: each name has a key of its own in the state folder, as `porthole NAME=PORT` does. Two programs that
   * run at the same time need two names. Defaults to `program`.
   */
  readonly tunnel?: string;
  /** The key itself, instead of a name: its PEM text, its file, or one that is elsewhere with a function that signs. */
  readonly identity?: Exclude<IdentityRef, { readonly publicKey: string }> | SigningIdentity;
  /** Keys, certificates and joined relays are kept here. Defaults to the client's own folder. */
  readonly stateDir?: string;
  /** Whether to wait for the certificate, where an authority is asked for one. Defaults to true. */
  readonly waitForCertificate?: boolean;
  /** How long coming online may take. Defaults to 120 seconds. */
  readonly timeoutMs?: number;
  /** Ends the tunnel, or the wait for it. */
  readonly signal?: AbortSignal;
  /** Is called with each log line, from `debug` on. Nothing is logged without it. */
  readonly onLog?: (line: LogLine) => void;
}

/** Something that is exposed until `close` is called, or `await using` leaves its block. */
export interface ExposedTunnel extends AsyncDisposable {
  /** The public URL, without a slash at its end. */
  readonly url: string;
  /** The public URLs by all relays, the first one among them. */
  readonly urls: readonly string[];
  /** The state at this moment. */
  readonly state: TunnelStateView;
  /**
   * The requests of visitors once they are answered, from this call on, until the tunnel ends. Each call has its own. When nobody
   * reads them, those beyond 1,000 are dropped.
   */
  requests(): AsyncIterableIterator<RequestView>;
  /** Resolves when the tunnel has ended, with the relay's reason when it was refused. Never rejects. */
  readonly ended: Promise<PortholeError | undefined>;
  /** Lets visitors finish, ends the tunnel, and closes the server where it was made to listen. Never rejects. */
  close(): Promise<void>;
}

/**
 * Exposes a port, a server or a request handler. Resolves when visitors can come. Rejects with a `PortholeError`: `usage` for an
 * option, `unauthorized` when the relay refuses, `timeout` when it takes too long; nothing is left open then.
 */
export async function expose(exposable: Exposable, options: ExposeOptions = {}): Promise<ExposedTunnel> {
  const { stateDir = dataFolder("porthole"), signal } = options;
  signal?.throwIfAborted();
  const served = await serve(exposable);
  try {
    const runtime = await openRuntime({
      ...{ stateDir, clock: systemClock, dialers: createDialers(), software: `porthole/${version} (embedded)` },
      owner: { path: join(stateDir, "primary-key.pem") },
    });
    const tunnel = new EmbeddedTunnel(runtime, served, options);
    try {
      await tunnel.start(stateDir);
      signal?.addEventListener("abort", () => void tunnel.close(), { once: true });
      return tunnel;
    } catch (reason) {
      await tunnel.close();
      throw reason;
    }
  } catch (reason) {
    await served.close();
    throw reason;
  }
}

class EmbeddedTunnel implements ExposedTunnel {
  readonly ended: Promise<PortholeError | undefined>;
  readonly #runtime: Runtime;
  readonly #served: Served;
  readonly #options: ExposeOptions;
  readonly #readers = new Set<AsyncQueue<RequestView>>();
  readonly #onState = new Set<(state: TunnelStateView) => void>();
  #state: TunnelStateView = { endpoints: [] };
  #end: (reason: PortholeError | undefined) => void = () => {};
  #closing: Promise<void> | undefined;

  constructor(runtime: Runtime, served: Served, options: ExposeOptions) {
    this.#runtime = runtime;
    this.#served = served;
    this.#options = options;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    runtime.subscribe({
      state: ({ state }) => this.#see(state),
      request: ({ request }) => {
        for (const reader of this.#readers) reader.push(request);
      },
      visit: () => {},
      inspect: () => {},
      log: (line) => options.onLog?.(line),
    });
  }

  async start(stateDir: string): Promise<void> {
    const { signal, timeoutMs: delayMs = defaultTimeoutMs } = this.#options;
    await withDeadline({ clock: systemClock, delayMs, what: "Coming online", signal }, async (within) => {
      const { handlers } = this.#runtime;
      const { invite, identity } = this.#options;
      const signing = identity && isSigningIdentity(identity) ? signingIdentity(identity) : undefined;
      const joined = invite === undefined ? undefined : await handlers["relay/add"]({ invite }, { signal: within });
      const ready = this.#ready();
      const key = signing?.identity ?? (identity as IdentityRef | undefined);
      await handlers["tunnel/start"](specOf(this.#options, key, this.#served.local, stateDir, joined?.relay), {
        signal: within,
        holder: signing?.holder,
      });
      await orAbort(within, ready);
    });
  }

  get url(): string {
    return this.urls[0] ?? "";
  }

  get urls(): readonly string[] {
    return this.#state.endpoints[0]?.urls ?? [];
  }

  get state(): TunnelStateView {
    return this.#state;
  }

  requests(): AsyncIterableIterator<RequestView> {
    const queue = new AsyncQueue<RequestView>(maxWaiting);
    if (this.#closing) queue.end();
    else this.#readers.add(queue);
    return this.#read(queue);
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#closeOnce());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #closeOnce(): Promise<void> {
    await this.#runtime.close();
    await this.#served.close();
    for (const reader of this.#readers) reader.end();
    this.#end(undefined);
  }

  async *#read(queue: AsyncQueue<RequestView>): AsyncGenerator<RequestView, undefined> {
    try {
      yield* queue;
    } finally {
      this.#readers.delete(queue);
    }
    return undefined;
  }

  #see(state: TunnelStateView): void {
    this.#state = state;
    for (const look of this.#onState) look(state);
    if (!state.ended) return;
    const { error } = state.ended;
    this.#end(error && fromRpcErrorData(error));
    for (const reader of this.#readers) reader.end();
  }

  /** Resolves when visitors can come; rejects when every relay has refused, or an authority. */
  #ready(): Promise<void> {
    const { waitForCertificate = true } = this.#options;
    const ready = new Promise<void>((resolve, reject) => {
      this.#onState.add((state) => {
        if (state.ended?.error) reject(fromRpcErrorData(state.ended.error));
        if (readyUrl(state, waitForCertificate) !== undefined) resolve();
        for (const certificate of state.endpoints[0]?.certificates ?? [])
          if (waitForCertificate && certificate.status === "failed") reject(fromRpcErrorData(certificate.error));
      });
    });
    ready.catch(() => {});
    return ready;
  }
}

const tunnelId = "program";

function specOf(
  options: ExposeOptions,
  identity: IdentityRef | undefined,
  local: string,
  stateDir: string,
  joined: RelaySpec | undefined,
): TunnelSpec {
  const { relay, tunnel = tunnelId, acme, access, ...others } = options;
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(tunnel))
    throw new PortholeError("usage", `${JSON.stringify(tunnel)} can't be the name of a tunnel`, {
      hint: "Use small letters, digits, dots and hyphens, at most 63.",
    });
  const { headers, localProxyProtocol, mode, name, poolSize, routes, suffix, transport } = others;
  const given = { headers, localProxyProtocol, mode, name, poolSize, routes, suffix, transport, acme, access };
  const relays = relay === undefined ? joined && [joined] : [typeof relay === "string" ? { address: relay } : relay];
  return {
    id: tunnelId,
    primary: { identity: identity ?? { path: join(stateDir, "tunnels", `${tunnel}.pem`) }, local },
    ...(relays ? { relays } : {}),
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<TunnelSpec>),
  };
}
