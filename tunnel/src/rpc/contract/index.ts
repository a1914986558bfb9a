/**
 * The contract by which another program (an editor, a script) drives a client: JSON-RPC 2.0 messages, each behind a
 * `Content-Length` header as in the Language Server Protocol. docs/rpc.md explains it. Everything here is JSON.
 */

import * as v from "valibot";
import type { InspectorChanges } from "../../inspector/index.ts";
import { empty, identityRef, optional, type Empty, type Parameter } from "./fields.ts";
import { identitySchemas, relaySchemas, type IdentityResults, type RelayResults } from "./relays.ts";
import { tunnelSchemas, type RequestView, type TunnelInfo, type TunnelResults, type VisitView } from "./tunnels.ts";
import { accessSchemas, inspectSchemas, type AccessResults, type InspectResults } from "./visitors.ts";

export type { Empty, IdentityRef } from "./fields.ts";
export type { Identity, RelaySpec, RelayTest, TransportTest } from "./relays.ts";
export type * from "./tunnels.ts";
export type { RpcErrorData } from "../errors.ts";

export const logLevel = v.picklist(["debug", "info", "warn", "error"]);
export type LogLevel = v.InferOutput<typeof logLevel>;

const initialize = v.object({
  rpcVersion: v.number(),
  /** Who calls, for the relay's log: `vscode/1.90.0`. */
  client: v.object({ name: v.string(), version: v.string() }),
  /**
   * Folder for certificates, pins and accounts; several daemons may share one. The platform's data folder when absent. A client
   * that runs already keeps its own.
   */
  stateDir: optional(v.pipe(v.string(), v.nonEmpty())),
  /**
   * The key that relays know the person by: it vouches for the tunnels' own identities, so that one invite is enough for
   * all of them. Each tunnel's primary identity when absent. A client that runs already keeps its own.
   */
  owner: optional(identityRef),
  /** The lowest level of the lines that this caller gets; `info` when absent. */
  logLevel: optional(logLevel),
});
export type InitializeParams = Parameter<typeof initialize>;

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

export interface InitializeResult {
  readonly rpcVersion: number;
  readonly version: string;
  readonly node: string;
  /** Whether this process can speak QUIC at all; without it HTTP/2 carries the traffic. */
  readonly quic: { readonly available: true } | { readonly available: false; readonly reason: string };
}

interface Results extends TunnelResults, InspectResults, AccessResults, IdentityResults, RelayResults {
  initialize: InitializeResult;
  shutdown: Empty;
}

export type Method = keyof typeof requestSchemas;

/** Requests: name, parameters, result. A failed one is answered with `RpcErrorData` in the error's `data`. */
export type Requests = { [M in Method]: [Parameter<(typeof requestSchemas)[M]>, Results[M]] };

export interface Notifications {
  /** After every change, with the whole state. */
  "tunnel/state": TunnelInfo;
  /** A visitor's connection is over. `missed`: so many before it were dropped, because nobody read them in time. */
  "tunnel/visit": { readonly id: string; readonly visit: VisitView; readonly missed?: number };
  /** A visitor's request has been answered; only where HTTP is read. */
  "tunnel/request": { readonly id: string; readonly request: RequestView; readonly missed?: number };
  /** What has changed in a tunnel's recordings, several changes together. */
  "inspect/exchange": { readonly id: string; readonly changes: InspectorChanges };
  log: LogLine;
}
export type NotificationName = keyof Notifications;

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
  /** How many lines before it were dropped, because nobody read them in time. */
  readonly missed?: number;
}
