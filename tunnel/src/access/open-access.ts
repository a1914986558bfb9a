import { PortholeError } from "@porthole/common/errors";
import type { Secret } from "@porthole/common/util";
import { parseAddressList } from "./address-list.ts";
import { parseSecrets, parseUsers } from "./credentials.ts";
import { parsePathList } from "./path-list.ts";
import { createAccessPolicy, type AccessContext, type AccessRulesPolicy } from "./rules.ts";
import { fileShareLinks } from "./share-link-file.ts";
import { ShareLinks } from "./share-links.ts";
import type { WebhookRule } from "./webhook.ts";
import { parseWebhookScheme } from "./webhook-schemes.ts";

/** The user's access rules, as text. An absent or empty one is no rule. */
export interface AccessSettings {
  /** `user:password`, one a line. */
  readonly basic?: Secret | undefined;
  /** Tokens, one a line. */
  readonly bearer?: Secret | undefined;
  /** Whether share links let in. */
  readonly share?: boolean | undefined;
  /** See `parseWebhookScheme`. */
  readonly webhook?: string | undefined;
  /** The senders' secrets, one a line. */
  readonly webhookSecret?: Secret | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly paths?: readonly string[] | undefined;
  /** How long the endpoint is exposed, from now. */
  readonly forMs?: number | undefined;
}

export interface OpenAccess {
  readonly policy: AccessRulesPolicy;
  readonly shareLinks: ShareLinks | undefined;
  close(): void;
}

/** Undefined when everybody is let in. The caller closes it. Throws `usage`, or `state` when the file of the share links is damaged. */
export async function openAccess(
  settings: AccessSettings,
  { shareLinksPath, clock, log }: AccessContext & { readonly shareLinksPath: string },
): Promise<OpenAccess | undefined> {
  const { basic, bearer, webhook, webhookSecret, addresses = [], paths = [], forMs } = settings;
  if ((webhook === undefined) !== (webhookSecret === undefined))
    throw new PortholeError("usage", "A webhook's signature needs both the sender's way to sign and its secret");
  const rules = {
    users: basic && parseUsers(basic),
    bearerTokens: bearer && parseSecrets(bearer, "token"),
    webhook: webhook !== undefined && webhookSecret !== undefined ? webhookRule(webhook, webhookSecret) : undefined,
    addresses: addresses.length > 0 ? parseAddressList(addresses) : undefined,
    paths: paths.length > 0 ? parsePathList(paths) : undefined,
    endsAt: forMs === undefined ? undefined : clock.now() + forMs,
  };
  if (!settings.share && Object.values(rules).every((rule) => rule === undefined)) return undefined;
  const shareLinks = settings.share ? await ShareLinks.open(fileShareLinks(shareLinksPath), clock) : undefined;
  const policy = createAccessPolicy({ ...rules, shareLinks }, { clock, log });
  return {
    policy,
    shareLinks,
    close() {
      policy.close();
      shareLinks?.close();
    },
  };
}

function webhookRule(scheme: string, secret: Secret): WebhookRule {
  const rule = { scheme: parseWebhookScheme(scheme), secrets: parseSecrets(secret, "secret") };
  for (const [index, one] of rule.secrets.entries()) rule.scheme.checkSecret(one.reveal(), index + 1);
  return rule;
}
