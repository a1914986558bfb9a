import { PortholeError, setting } from "../errors.ts";
import type { IdentityKey } from "../identity/index.ts";
import type { Logger } from "../log.ts";
import { parseDirectoryUrl } from "../protocol/index.ts";
import type { Clock } from "../util/index.ts";
import { fileAccounts } from "./order/account-store.ts";
import type { CertificateState, ServedCertificate } from "./renewal/certificate-state.ts";
import type { ChallengeAnswer } from "./order/order.ts";
import type { ExternalAccount } from "./wire/client.ts";
import { acmeIssuer, letsEncrypt } from "./order/issuer.ts";
import { CertificateKeeper } from "./renewal/certificate-keeper.ts";
import { selfTest, type SelfTestOptions } from "./order/self-test.ts";
import { fileStore, type CertificateStore } from "./renewal/store.ts";
import type { ProxyTo } from "./wire/transport.ts";

/** How a program of ours gets its certificates. */
export interface AcmeSettings {
  readonly directoryUrl: string;
  readonly email?: string | undefined;
  readonly externalAccount?: ExternalAccount | undefined;
  /** Path of the accounts file. */
  readonly accountsPath: string;
  readonly renewDays?: number | undefined;
  /** For a network that is not the internet. */
  readonly network?: AcmeNetwork | undefined;
}

export interface AcmeNetwork {
  /** PEM of the only roots that the directory's own certificate may come from. */
  readonly trust?: string;
  /** The port that validators connect to. Defaults to 443. */
  readonly port?: number;
  readonly lookup?: (name: string) => Promise<readonly string[]>;
  readonly proxyTo?: ProxyTo | undefined;
}

/** The directory that `--acme-directory` and `--acme-staging` choose. Throws `usage`. */
export function directoryUrlOf(directory: string | undefined, staging: boolean): string {
  if (directory === undefined) return staging ? letsEncrypt.staging : letsEncrypt.production;
  if (staging)
    throw new PortholeError(
      "usage",
      `${setting("acme-staging")} and ${setting("acme-directory")} contradict each other`,
    );
  if (parseDirectoryUrl(directory) === undefined)
    throw new PortholeError("usage", `${setting("acme-directory")}: ${JSON.stringify(directory)} is not an https URL`);
  return directory;
}

/** Whether it is one of Let's Encrypt's directories, which every client knows. */
export function isLetsEncrypt(directoryUrl: string): boolean {
  return Object.values<string>(letsEncrypt).includes(directoryUrl);
}

export interface KeptName {
  readonly name: string;
  readonly key: IdentityKey;
  /** Store of the certificate, or the path of its file. */
  readonly store: CertificateStore | string;
  readonly challenges: ChallengeAnswer;
  readonly clock: Clock;
  readonly log: Logger;
  /**
   * `required`: nothing is ordered before a connection from here, through the name's public address, has reached us.
   * `advisory`: a machine that can't reach itself by its public address (many routers don't allow it) orders all the same.
   */
  readonly selfTest: "required" | "advisory";
  readonly quota?: (hostname: string, signal: AbortSignal) => Promise<void>;
  onCertificate(certificate: ServedCertificate): void;
  onState?(state: CertificateState): void;
}

/** The keeper of one name's certificate, put together from a program's settings. */
export function createKeeper(settings: AcmeSettings, kept: KeptName): CertificateKeeper {
  const { name, key, challenges, clock, log, quota } = kept;
  const { directoryUrl, email, externalAccount, network = {} } = settings;
  const test: SelfTestOptions = { name, answer: challenges, clock, ...network };
  return new CertificateKeeper({
    name,
    key,
    clock,
    log,
    renewDays: settings.renewDays,
    issuer: acmeIssuer({
      directoryUrl,
      email,
      externalAccount,
      accounts: fileAccounts(settings.accountsPath, clock, log),
      answer: challenges,
      trust: network.trust,
      proxyTo: network.proxyTo,
      clock,
      log,
    }),
    store: typeof kept.store === "string" ? fileStore(kept.store, clock) : kept.store,
    whenReachable: (signal) => reachable(test, kept.selfTest, log, signal),
    ...(quota ? { quota: (request, signal) => quota(request.name, signal) } : {}),
    onCertificate: (certificate) => kept.onCertificate(certificate),
    onState: (state) => kept.onState?.(state),
  });
}

async function reachable(
  test: SelfTestOptions,
  kind: "required" | "advisory",
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  try {
    await selfTest(test, signal);
  } catch (reason) {
    const error = PortholeError.from(reason);
    const mayBeHairpin = error.code === "unreachable" || error.code === "timeout";
    if (kind === "required" || !mayBeHairpin || signal.aborted) throw error;
    log.warn({ name: test.name, hint: error.hint }, `${error.message}; asking the certificate authority all the same`);
  }
}
