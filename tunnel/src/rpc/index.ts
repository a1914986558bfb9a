export { rpcVersion } from "./contract.ts";
export type * from "./contract.ts";
/** What answers are made of, for those who must not load the gateway. */
export type { AccessSummary, ShareLink } from "../access/index.ts";
export type {
  BodyInfo,
  BodySide,
  BodyView,
  ExchangeDetail,
  ExchangeSummary,
  Header,
  InspectorChanges,
  MessageView,
  ReplayEdit,
} from "../inspector/index.ts";
export { connectDaemon, type DaemonConnection } from "./client.ts";
export { fromRpcErrorData, rpcErrorData } from "./errors.ts";
