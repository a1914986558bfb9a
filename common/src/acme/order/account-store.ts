import { PortholeError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import { lockFile, Secret, type Clock, type Lock } from "../../util/index.ts";
import { moveDamaged, readFileIfExists, readJson, writeJson } from "../../util/state-file.ts";

export interface AccountRecord {
  /** PKCS#8. */
  readonly keyPem: Secret;
  /** The account's URL at the authority (its `kid`, RFC 8555 section 6.2). Absent until the registration is answered. */
  readonly url?: string;
  readonly email?: string;
}

/** Keeps ACME accounts, one for each authority. */
export interface AccountStore {
  read(directoryUrl: string): Promise<AccountRecord | undefined>;
  write(directoryUrl: string, record: AccountRecord): Promise<void>;
  /** Several certificates share an account: only one of them registers it. */
  lock(signal: AbortSignal): Promise<Lock>;
}

interface File {
  readonly version: 1;
  readonly accounts: Readonly<Record<string, { readonly key: string; readonly url?: string; readonly email?: string }>>;
}

const empty: File = { version: 1, accounts: {} };

/** A JSON file (`--acme-creds-path`). A damaged one is moved to NAME.damaged: an account can be had again, at little cost. */
export function fileAccounts(path: string, clock: Clock, log: Logger): AccountStore {
  async function load(): Promise<File> {
    try {
      return (await readJson(path, validate)) ?? empty;
    } catch (reason) {
      // What can't be read at all is thrown here again: there may be a good account in it.
      if ((await readFileIfExists(path)) === undefined) return empty;
      await moveDamaged(path);
      const { message } = PortholeError.from(reason);
      log.error({ path }, `${message}. It was moved to ${path}.damaged, and a new ACME account will be made`);
      return empty;
    }
  }

  return {
    async read(directoryUrl) {
      const { accounts } = await load();
      const found = Object.hasOwn(accounts, directoryUrl) ? accounts[directoryUrl] : undefined;
      if (!found) return undefined;
      const { key, ...rest } = found;
      return { keyPem: new Secret(key), ...rest };
    },
    async write(directoryUrl, { keyPem, ...rest }) {
      const { accounts } = await load();
      const file: File = { version: 1, accounts: { ...accounts, [directoryUrl]: { key: keyPem.reveal(), ...rest } } };
      await writeJson(path, file);
    },
    lock: (signal) => lockFile(`${path}.lock`, clock, signal),
  };
}

function validate(value: unknown): File {
  const { version, accounts } = value as Partial<File>;
  if (version !== 1 || typeof accounts !== "object" || accounts === null) throw new Error("it holds no ACME accounts");
  for (const { key, url, email } of Object.values(accounts)) {
    if (typeof key !== "string" || !key.includes("PRIVATE KEY")) throw new Error("an account lacks its key");
    if (![url, email].every((text) => text === undefined || typeof text === "string"))
      throw new Error("an account's address is no text");
  }
  return { version, accounts };
}
