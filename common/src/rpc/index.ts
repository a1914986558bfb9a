export { rpcVersion } from "./contract.ts";
export type * from "./contract.ts";
/** What answers are made of, for those who must not load the gateway. */
export type {
  AccessSummary,
  BodyInfo,
  BodySide,
  BodyView,
  ExchangeDetail,
  ExchangeSummary,
  Header,
  InspectorChanges,
  MessageView,
  ReplayEdit,
  ShareLink,
} from "../gateway/index.ts";
export { connectAgent, type AgentConnection } from "./client.ts";
export { fromRpcErrorData, rpcErrorData } from "./errors.ts";
