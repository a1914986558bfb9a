import { PortholeError } from "../../errors.ts";
import { generateKey, type IdentityKey } from "../../identity/index.ts";
import type { Logger } from "../../log.ts";
import { withDeadline, type Clock } from "../../util/index.ts";
import { withAccount, type AccountTools, type Authority } from "./account.ts";
import type { AccountStore } from "./account-store.ts";
import { certificateId, readRenewalWindow, type RenewalWindow } from "./ari.ts";
import { parseChain, type Chain } from "./chain.ts";
import { obtainCertificate, type ChallengeAnswer, type OrderRequest } from "./order.ts";
import { problemOf } from "../wire/problem.ts";
import { AcmeClient } from "../wire/client.ts";
import { httpsTransport, type AcmeTransport, type ProxyTo } from "../wire/transport.ts";

const orderDeadlineMs = 10 * 60_000;

export interface IssueRequest {
  readonly name: string;
  readonly key: IdentityKey;
  /** The authority's own certificate that this one is to take the place of. */
  readonly replaces?: Chain | undefined;
  /** The last validation failed: if there is a staging authority, find out there first whether the next one would. */
  readonly stagingFirst: boolean;
}

/** Orders certificates from one authority. */
export interface CertificateIssuer {
  readonly directoryUrl: string;
  issue(request: IssueRequest, signal: AbortSignal): Promise<Chain>;
  /** When the authority wants the certificate to be renewed; `window` is undefined where it has no opinion. */
  renewalWindow(
    chain: Chain,
    signal: AbortSignal,
  ): Promise<{ readonly window: RenewalWindow | undefined; readonly retryAfterMs: number | undefined }>;
}

export interface AcmeIssuerOptions extends Authority {
  /** A directory of the same authority that is there for trying things out; Let's Encrypt's is known. */
  readonly stagingUrl?: string | undefined;
  readonly accounts: AccountStore;
  readonly answer: ChallengeAnswer;
  readonly clock: Clock;
  readonly log: Logger;
  /** PEM of the only roots that the directory's own TLS certificate may come from; the system's when absent. */
  readonly trust?: string | undefined;
  readonly proxyTo?: ProxyTo | undefined;
  /** The way to the authority, for tests. */
  readonly transport?: AcmeTransport;
}

export const letsEncrypt = {
  production: "https://acme-v02.api.letsencrypt.org/directory",
  staging: "https://acme-staging-v02.api.letsencrypt.org/directory",
} as const;

/** Certificates by ACME (RFC 8555) and TLS-ALPN-01 (RFC 8737). It holds no connection and no timer between calls. */
export function acmeIssuer(options: AcmeIssuerOptions): CertificateIssuer {
  const { directoryUrl, clock, log, answer, accounts, trust, proxyTo } = options;
  const stagingUrl = options.stagingUrl ?? (directoryUrl === letsEncrypt.production ? letsEncrypt.staging : undefined);

  async function withTools<T>(
    what: string,
    signal: AbortSignal,
    work: (tools: AccountTools, signal: AbortSignal) => Promise<T>,
  ) {
    const transport = options.transport ?? httpsTransport({ clock, trust, proxyTo });
    try {
      return await withDeadline({ clock, delayMs: orderDeadlineMs, what, signal }, (within) =>
        work({ accounts, transport, clock, log }, within),
      );
    } finally {
      transport.close();
    }
  }

  /** A certificate that nobody trusts and nobody will see, but validated in the same way. */
  async function stagingFirst(tools: AccountTools, name: string, signal: AbortSignal): Promise<void> {
    if (stagingUrl === undefined || stagingUrl === directoryUrl) return;
    log.info({ name, directory: stagingUrl }, "Trying the validation with the staging authority first");
    await withAccount(tools, { directoryUrl: stagingUrl, email: options.email }, signal, (client) =>
      obtainCertificate({ client, answer, clock }, { name, key: generateKey() }, signal),
    );
  }

  return {
    directoryUrl,
    issue: ({ name, key, replaces, stagingFirst: isRehearsal }, signal) =>
      withTools(`The order for ${name}`, signal, async (tools, within) => {
        if (isRehearsal) await stagingFirst(tools, name, within);
        const id = replaces && certificateId(replaces.leaf);
        return await withAccount(tools, options, within, async (client) => {
          // RFC 9773 5: only an authority that knows the field may be sent it.
          const knowsReplaces = id !== undefined && (await client.directory(within)).renewalInfo !== undefined;
          const order = { name, key };
          const obtain = (request: OrderRequest): Promise<string> =>
            obtainCertificate({ client, answer, clock }, request, within);
          if (!knowsReplaces) return checked(await obtain(order));
          try {
            return checked(await obtain({ ...order, replaces: id }));
          } catch (reason) {
            if (!isAboutReplaces(reason)) throw reason;
            log.warn(
              { name, code: PortholeError.from(reason).code },
              "The order is not taken as a renewal; ordering without",
            );
            return checked(await obtain(order));
          }
        });
      }),
    renewalWindow: (chain, signal) =>
      withTools("The question when to renew", signal, async ({ transport }, within) => {
        const client = new AcmeClient({ directoryUrl, transport, clock, accountKeyPem: "" });
        const { renewalInfo } = await client.directory(within);
        const id = certificateId(chain.leaf);
        if (renewalInfo === undefined || id === undefined) return { window: undefined, retryAfterMs: undefined };
        const { value, retryAfterMs } = await client.renewalInfo(`${renewalInfo.replace(/\/$/, "")}/${id}`, within);
        return { window: readRenewalWindow(value), retryAfterMs };
      }),
  };
}

/**
 * RFC 9773 5: alreadyReplaced (409), or the certificate is not this account's (Boulder: 403 or 404). A refusal of the order as such comes
 * again without the field, and then it counts.
 */
function isAboutReplaces(reason: unknown): boolean {
  const problem = problemOf(reason);
  if (!problem) return false;
  const types = ["alreadyReplaced", "conflict", "malformed", "unauthorized", "notFound"];
  return problem.status >= 400 && problem.status < 500 && types.includes(problem.type);
}

function checked(chainPem: string): Chain {
  return parseChain(chainPem, "The certificate authority's answer");
}
