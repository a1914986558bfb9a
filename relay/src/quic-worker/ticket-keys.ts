import { PortholeError } from "@porthole/common/errors";
import type { TicketKey } from "@porthole/common/link/quic";
import type { Logger } from "@porthole/common/log";
import { moveDamaged, readJson, writeJson } from "@porthole/common/util";

/** Keeps ticket keys over a restart of the relay, so that clients return over QUIC with the tickets they hold. Only its owner can read the file. */
export class TicketKeyFile {
  readonly #path: string;
  readonly #log: Logger;
  #turn: Promise<void> = Promise.resolve();

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  /** The newest first. Returns none when there is no file, and for one that can't be read: the next tickets come from a new key. */
  async read(): Promise<readonly TicketKey[]> {
    try {
      return (await readJson(this.#path, readKeys)) ?? [];
    } catch (reason) {
      this.#log.warn({}, PortholeError.from(reason).message);
      await moveDamaged(this.#path).catch(() => {});
      return [];
    }
  }

  /** Resolves when it is written, or when a line in the log says why it is not: the relay serves all the same. */
  write(keys: readonly TicketKey[]): Promise<void> {
    const text = keys.map(({ id, secret, sinceMs }) => ({ id, secret: Buffer.from(secret).toString("hex"), sinceMs }));
    this.#turn = this.#turn.then(() =>
      writeJson(this.#path, { keys: text }, { mode: 0o600 }).catch((reason: unknown) =>
        this.#log.warn({}, PortholeError.from(reason).message),
      ),
    );
    return this.#turn;
  }
}

function readKeys(value: unknown): TicketKey[] {
  const { keys } = Object(value) as { readonly keys?: unknown };
  if (!Array.isArray(keys)) throw new PortholeError("state", "it has no list of keys");
  return keys.map((key: unknown) => {
    const { id, secret, sinceMs } = Object(key) as { readonly [name: string]: unknown };
    const isKey = Number.isInteger(id) && typeof sinceMs === "number" && /^[0-9a-f]{64}$/.test(String(secret));
    if (!isKey) throw new PortholeError("state", "an entry is not a key");
    return { id: id as number, secret: Buffer.from(secret as string, "hex"), sinceMs };
  });
}
