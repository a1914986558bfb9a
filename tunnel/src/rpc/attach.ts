import { connectControlSocket } from "@porthole/common/control";
import { withDeadline, type Clock } from "@porthole/common/util";
import { connectDaemon, type DaemonConnection, type DaemonConnectionOptions } from "./client.ts";
import type { InitializeParams } from "./contract/index.ts";
import { rpcVersion } from "./version.ts";

/** A client that is alive responds at once. */
const introductionMs = 5_000;

export interface AttachOptions extends DaemonConnectionOptions {
  readonly stateDir: string;
  readonly clock: Clock;
  /** Who attaches. */
  readonly client: InitializeParams["client"];
}

/**
 * Connects to the client that runs with this state folder; undefined when none runs. Rejects with `state` when it is another user's,
 * `timeout` when it does not answer within 5 seconds, and `version` when it speaks another one. The caller closes the connection.
 */
export async function attachToClient({
  stateDir,
  clock,
  client,
  sign,
}: AttachOptions): Promise<DaemonConnection | undefined> {
  const socket = await connectControlSocket({ stateDir, program: "client" });
  if (!socket) return undefined;
  const connection = connectDaemon({ input: socket, output: socket }, { sign });
  void connection.closed.then(() => socket.destroySoon());
  try {
    await withDeadline({ clock, delayMs: introductionMs, what: "Attaching to the running client" }, (signal) =>
      connection.call("initialize", { rpcVersion, client }, { signal }),
    );
    return connection;
  } catch (reason) {
    connection.close();
    throw reason;
  }
}
