export { parseAddressList } from "./address-list.ts";
export { openAccess, type OpenAccess } from "./open-access.ts";
export { parsePathList } from "./path-list.ts";
export type {
  AccessDecision,
  AccessPage,
  AccessPolicy,
  AccessRequest,
  AccessSummary,
  Allowed,
  RawDecision,
  Refused,
} from "./policy.ts";
export { type ShareLink } from "./share-links.ts";
export { shareUrl } from "./share-visit.ts";
export { withoutStripped } from "./strip.ts";
export { parseWebhookScheme } from "./webhook-schemes.ts";
