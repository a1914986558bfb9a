export { rpcVersion } from "./version.ts";
export type * from "./contract/index.ts";
export { attachToClient } from "./attach.ts";
/** Types of results, for programs that must not load the gateway. */
export type { AccessSummary, ShareLink } from "../access/index.ts";
export type {
  BodyInfo,
  BodySide,
  BodyView,
  ExchangeDetail,
  ExchangeSummary,
  Header,
  InspectorChanges,
  InspectorStatus,
  ListResult,
  MessagesResult,
  MessageView,
  ReplayEdit,
} from "../inspector/index.ts";
export { connectDaemon, type DaemonConnection, type DaemonConnectionOptions } from "./client.ts";
export type { KeyHolder } from "./server.ts";
export { fromRpcErrorData, isRemote, rpcErrorData, signerError } from "./errors.ts";
export { readyUrl } from "./ready-url.ts";
