export { rpcVersion } from "./contract.ts";
export type * from "./contract.ts";
