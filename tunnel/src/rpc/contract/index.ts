/**
 * The contract by which another program (an editor, a script) drives a client: JSON-RPC 2.0 messages, each behind a
 * `Content-Length` header as in the Language Server Protocol. docs/rpc.md explains it. Everything here is JSON.
 */

import * as v from "valibot";
import { number, optional, text, type Data } from "../../schema/index.ts";
import { empty, identityRef, logLevel } from "./fields.ts";
import { identitySchemas, relaySchemas } from "./relays.ts";
import type { notificationSchemas, resultSchemas } from "./results/index.ts";
import { tunnelSchemas } from "./tunnels.ts";
import { accessSchemas, inspectSchemas } from "./visitors.ts";

export type { IdentityRef, LogLevel } from "./fields.ts";
export type { RelaySpec } from "./relays.ts";
export type * from "./results/tunnels.ts";
export type {
  Identity,
  ImportedIdentity,
  InitializeResult,
  LogLine,
  RelayTest,
  TransportTest,
} from "./results/index.ts";
export type * from "./tunnels.ts";
export { callerSchemas, type SignParams, type SignResult } from "./signing.ts";
export type { RpcErrorData } from "../errors.ts";

const initialize = v.object({
  rpcVersion: number,
  /** Who calls, for the relay's log: `vscode/1.90.0`. */
  client: v.object({ name: text, version: text }),
  /**
   * Folder for certificates, pins and accounts; several daemons may share one. The platform's data folder when absent. A client
   * that runs already keeps its own.
   */
  stateDir: optional(v.pipe(text, v.nonEmpty())),
  /**
   * The key that relays know the person by: it vouches for the tunnels' own identities, so that one invite is enough for
   * all of them. Each tunnel's primary identity when absent. A client that runs already keeps its own.
   */
  owner: optional(identityRef),
  /** The lowest level of the lines that this caller gets; `info` when absent. */
  logLevel: optional(logLevel),
});
export type InitializeParams = Data<typeof initialize>;

/** What each request takes. Fields that are not known are left out. */
export const requestSchemas = {
  /** First of all; every other call before it is refused. */
  initialize,
  /** Stops every tunnel and ends the process once it has answered. The end of standard input does the same. */
  shutdown: empty,
  ...tunnelSchemas,
  ...inspectSchemas,
  ...accessSchemas,
  ...identitySchemas,
  ...relaySchemas,
};

export type Method = keyof typeof requestSchemas;

/** Requests: name, parameters, result. A failed one is answered with `RpcErrorData` in the error's `data`. */
export type Requests = { [M in Method]: [Data<(typeof requestSchemas)[M]>, Data<(typeof resultSchemas)[M]>] };

export type Notifications = { [N in keyof typeof notificationSchemas]: Data<(typeof notificationSchemas)[N]> };
export type NotificationName = keyof Notifications;
