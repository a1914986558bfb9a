import { PortholeError, setting } from "../../errors.ts";
import { generateKey } from "../../identity/index.ts";
import type { Logger } from "../../log.ts";
import { Secret, type Clock } from "../../util/index.ts";
import type { AccountRecord, AccountStore } from "./account-store.ts";
import { AcmeClient, type ExternalAccount } from "../wire/client.ts";
import { problemOf } from "../wire/problem.ts";
import type { AcmeTransport } from "../wire/transport.ts";

export interface Authority {
  readonly directoryUrl: string;
  /** E-mail address for the authority. Most authorities need none. */
  readonly email?: string | undefined;
  readonly externalAccount?: ExternalAccount | undefined;
}

export interface AccountTools {
  readonly accounts: AccountStore;
  readonly transport: AcmeTransport;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Does `work` with the account at the authority, which is registered if there is none. If the authority has lost it (it was
 * closed, or a test authority was restarted) it is registered again, once, and the work is done again from its beginning.
 */
export async function withAccount<T>(
  tools: AccountTools,
  authority: Authority,
  signal: AbortSignal,
  work: (client: AcmeClient) => Promise<T>,
): Promise<T> {
  let record = await ensureAccount(tools, authority, undefined, signal);
  try {
    return await work(clientFor(tools, authority, record));
  } catch (reason) {
    if (problemOf(reason)?.type !== "accountDoesNotExist") throw reason;
    tools.log.warn(
      { directory: authority.directoryUrl },
      "The certificate authority has lost the account; creating a new one",
    );
    record = await ensureAccount(tools, authority, record.url, signal);
    return await work(clientFor(tools, authority, record));
  }
}

async function ensureAccount(
  tools: AccountTools,
  authority: Authority,
  lost: string | undefined,
  signal: AbortSignal,
): Promise<AccountRecord> {
  const { accounts } = tools;
  const { directoryUrl } = authority;
  const isOpen = (record: AccountRecord | undefined): record is AccountRecord & { readonly url: string } =>
    record?.url !== undefined && record.url !== lost;
  const known = await accounts.read(directoryUrl);
  if (isOpen(known) && known.email === authority.email) return known;
  const lock = await accounts.lock(signal);
  try {
    // Another certificate's order may have done it while we waited.
    const record = await accounts.read(directoryUrl);
    if (!isOpen(record)) return await register(tools, authority, record, signal);
    return record.email === authority.email ? record : await changeContact(tools, authority, record, signal);
  } finally {
    await lock.release();
  }
}

async function register(
  tools: AccountTools,
  authority: Authority,
  previous: AccountRecord | undefined,
  signal: AbortSignal,
): Promise<AccountRecord> {
  const { accounts, log } = tools;
  const { directoryUrl, email } = authority;
  // The key is kept before anyone knows of it: a crash in between must not leave an account whose key is lost.
  const keyPem = previous?.keyPem ?? new Secret(generateKey().pem);
  if (!previous) await accounts.write(directoryUrl, { keyPem });
  const client = clientFor(tools, authority, { keyPem });
  const { termsOfService, externalAccountRequired } = await client.directory(signal);
  if (externalAccountRequired && !authority.externalAccount)
    throw new PortholeError("usage", `${new URL(directoryUrl).host} wants an account that is bound to a customer`, {
      hint: `Get a key id and an HMAC key from the authority and give them with ${setting("acme-eab-kid")} and ${setting("acme-eab-hmac-file")}.`,
    });
  let url = previous && (await find(client, signal));
  if (url === undefined) {
    log.info(
      { directory: directoryUrl, termsOfService },
      "Registering with the certificate authority, which accepts its terms of service",
    );
    try {
      url = await client.register(email, signal);
    } catch (reason) {
      throw wantsEmail(reason, email) ?? reason;
    }
  }
  const record: AccountRecord = { keyPem, url, ...(email !== undefined && { email }) };
  await accounts.write(directoryUrl, record);
  return record;
}

async function find(client: AcmeClient, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await client.find(signal);
  } catch (reason) {
    if (problemOf(reason)?.type === "accountDoesNotExist") return undefined;
    throw reason;
  }
}

async function changeContact(
  tools: AccountTools,
  authority: Authority,
  known: AccountRecord,
  signal: AbortSignal,
): Promise<AccountRecord> {
  const { email } = authority;
  // Without one the old address may stay; an account is not worth an error over it.
  if (email !== undefined) await clientFor(tools, authority, known).updateContact(email, signal);
  const { email: _old, ...rest } = known;
  const record: AccountRecord = { ...rest, ...(email !== undefined && { email }) };
  await tools.accounts.write(authority.directoryUrl, record);
  return record;
}

function clientFor(tools: AccountTools, authority: Authority, record: AccountRecord): AcmeClient {
  const { directoryUrl, externalAccount } = authority;
  const { transport, clock } = tools;
  return new AcmeClient({
    directoryUrl,
    transport,
    clock,
    accountKeyPem: record.keyPem.reveal(),
    accountUrl: record.url,
    externalAccount,
  });
}

/** Authorities that insist on an address say so by the type of the problem, or only in the words of a `malformed`. */
function wantsEmail(reason: unknown, email: string | undefined): PortholeError | undefined {
  const problem = problemOf(reason);
  if (!problem || email !== undefined) return undefined;
  if (problem.type === "invalidContact" || problem.type === "unsupportedContact")
    return new PortholeError("usage", `The certificate authority wants an e-mail address: ${problem.message}`, {
      cause: reason,
      hint: `Give one with ${setting("acme-email")}.`,
    });
  if (problem.type !== "malformed") return undefined;
  return new PortholeError("usage", `The certificate authority refuses to register us: ${problem.message}`, {
    cause: reason,
    hint: `If it wants an e-mail address, give one with ${setting("acme-email")}.`,
  });
}
