export { rpcVersion } from "./contract.ts";
export type * from "./contract.ts";
export { connectAgent, type AgentConnection } from "./client.ts";
export { rpcErrorData, fromRpcErrorData } from "./errors.ts";
export { Outbox } from "./outbox.ts";
export { rpcLimits, serveRpc, type CallContext, type Handlers, type RpcServer, type RpcStreams } from "./server.ts";
