import { PortholeError } from "@porthole/common/errors";
import { withDeadline, type Clock } from "@porthole/common/util";
import type { InitializeParams } from "../contract/index.ts";
import { rpcVersion } from "../version.ts";
import { Outbox } from "../outbox.ts";
import { serveRpc, type RpcStreams } from "../server.ts";
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
  const server = serveRpc(
    streams,
    {
      async initialize(params) {
        if (params.rpcVersion !== rpcVersion) throw otherVersion(params.rpcVersion);
        const runtime = await open(params);
        const { logLevel = "info" } = params;
        unsubscribe = runtime.subscribe({
          state: (state) => outbox.state(state),
          visit: (visit) => outbox.visit(visit),
          request: (request) => outbox.request(request),
          inspect: (id, changes) => outbox.inspect(id, changes),
          log: (line) => {
            if (isAtLeast(line.level, logLevel)) outbox.log(line);
          },
        });
        return { result: runtime.about, handlers: runtime.handlers };
      },
    },
    clock,
  );
  const outbox = new Outbox((name, params) => server.notify(name, params));
  void server.closed.then(() => unsubscribe());
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

function otherVersion(theirs: number): PortholeError {
  return new PortholeError(
    "version",
    `The caller speaks version ${theirs} of the contract, this daemon version ${rpcVersion}`,
    { hint: "Use the daemon that came with the caller." },
  );
}
