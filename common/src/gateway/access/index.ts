export { openPolicy } from "./policy.ts";
export type { AccessDecision, AccessPage, AccessPolicy, AccessRequest, Allowed, Refused } from "./policy.ts";
