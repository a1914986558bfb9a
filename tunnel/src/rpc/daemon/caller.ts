import { PortholeError } from "@porthole/common/errors";
import { withDeadline, type Clock } from "@porthole/common/util";
import type { InitializeParams } from "../contract/index.ts";
import { rpcVersion } from "../version.ts";
import { Outbox } from "../outbox.ts";
import { RpcServer, type Handlers, type RpcStreams } from "../server.ts";
import { isAtLeast } from "./log.ts";
import type { Runtime } from "./runtime.ts";

/** A caller that does not read them can't have our last words. */
const lastWordsMs = 2_000;

/** A program at the other end of two streams. */
export interface Caller {
  /** Resolves, never rejects, when it has left. */
  readonly left: Promise<void>;
  /** Ends the connection once the last answers and notifications are written, or after 2 seconds. The streams stay their owner's. */
  close(): Promise<void>;
}

/** Serves the contract. `open` is called when the caller has introduced itself, and returns what it may use. */
export function serveCaller(
  streams: RpcStreams,
  open: (params: InitializeParams) => Promise<Runtime>,
  clock: Clock,
): Caller {
  let unsubscribe = (): void => {};
  const bound = new BoundTunnels();
  const server = new RpcServer(
    streams,
    {
      async initialize(params) {
        if (params.rpcVersion !== rpcVersion) throw otherVersion(params.rpcVersion);
        const runtime = await open(params);
        if (params.owner && "publicKey" in params.owner)
          runtime.externalKeys.provide(params.owner.publicKey, "owner.publicKey", server.holder);
        const { logLevel = "info" } = params;
        unsubscribe = runtime.subscribe({
          state(state) {
            if (state.state.ended) bound.release(state.id);
            outbox.state(state);
          },
          visit: (visit) => outbox.visit(visit),
          request: (request) => outbox.request(request),
          inspect: (id, changes) => outbox.inspect(id, changes),
          log: (line) => {
            if (isAtLeast(line.level, logLevel)) outbox.log(line);
          },
        });
        return { result: runtime.about, handlers: bound.bind(runtime.handlers) };
      },
    },
    clock,
  );
  const outbox = new Outbox((name, params) => server.notify(name, params));
  void server.closed.then(() => {
    unsubscribe();
    bound.stopAll();
  });
  return {
    left: server.closed,
    async close() {
      const said = async (): Promise<void> => {
        await outbox.idle();
        await server.idle();
      };
      await withDeadline({ clock, delayMs: lastWordsMs, what: "Saying goodbye" }, said).catch(() => {});
      server.close();
    },
  };
}

/** The tunnels that one caller has started with `untilCallerLeaves`. */
class BoundTunnels {
  readonly #ids = new Set<string>();
  #stop: (id: string) => void = () => {};
  #hasLeft = false;

  bind(handlers: Handlers): Handlers {
    this.#stop = (id) => {
      const stopped = async (): Promise<unknown> => handlers["tunnel/stop"]({ id }, { signal: neverAborts });
      // The runtime may be about to close, which stops all of them.
      stopped().catch(() => {});
    };
    return {
      ...handlers,
      "tunnel/start": async (spec, context) => {
        const info = await handlers["tunnel/start"](spec, context);
        if (!spec.untilCallerLeaves) return info;
        if (this.#hasLeft) this.#stop(spec.id);
        else this.#ids.add(spec.id);
        return info;
      },
    };
  }

  /** It is over, and another caller may start one under its id. */
  release(id: string): void {
    this.#ids.delete(id);
  }

  stopAll(): void {
    this.#hasLeft = true;
    for (const id of this.#ids) this.#stop(id);
  }
}

const neverAborts = new AbortController().signal;

function otherVersion(theirs: number): PortholeError {
  return new PortholeError(
    "version",
    `The caller speaks version ${theirs} of the contract, this daemon version ${rpcVersion}`,
    { hint: "Use the daemon that came with the caller." },
  );
}
