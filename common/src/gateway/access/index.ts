export { parseAddressList, type AddressList } from "./address-list.ts";
export { parseSecrets, parseUsers } from "./credentials.ts";
export { openAccess, type AccessSettings, type OpenAccess } from "./open-access.ts";
export { parsePathList, type PathList } from "./path-list.ts";
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
export { createAccessPolicy, type AccessRules, type AccessRulesPolicy } from "./rules.ts";
export { fileShareLinks } from "./share-link-file.ts";
export { ShareLinks, type NewShareLink, type ShareLink, type ShareLinkStore } from "./share-links.ts";
export { shareUrl } from "./share-visit.ts";
export { withoutStripped } from "./strip.ts";
export type { WebhookRule } from "./webhook.ts";
export { parseWebhookScheme, type WebhookScheme } from "./webhook-schemes.ts";
