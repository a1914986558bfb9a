export { expose, type Exposable, type ExposedTunnel, type ExposeOptions } from "./expose.ts";
export type { SignatureRequest, SigningIdentity } from "./signing-identity.ts";
export type { AccessSpec, RelaySpec, RequestView, TunnelStateView } from "../rpc/index.ts";
export { PortholeError, type ErrorCode } from "@porthole/common/errors";
