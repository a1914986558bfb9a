import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { readFileIfExists, writeFileAtomic } from "@porthole/common/util";
import type { Sealer } from "../sealed.ts";
import { readSharedRecords, type SharedRecords } from "../shared-records.ts";

/** All records of a cluster as a relay has seen them last. */
export interface Mirror {
  /** See StreamState. */
  readonly created: string;
  readonly revision: number;
  readonly records: SharedRecords;
}

const place = "mirror";

/** The relay's own copy of the cluster's records: for a start without the engine, and for an engine that has lost them. Sealed. */
export class MirrorFile {
  readonly #path: string;
  readonly #sealer: Sealer;
  readonly #log: Logger;
  #written = -1;

  constructor(path: string, sealer: Sealer, log: Logger) {
    this.#path = path;
    this.#sealer = sealer;
    this.#log = log;
  }

  /** Undefined when there is none. Rejects with `state` for one that is damaged or was sealed with another secret. */
  async read(): Promise<Mirror | undefined> {
    const sealed = await readFileIfExists(this.#path);
    if (!sealed) return undefined;
    const text = this.#sealer.open(place, sealed);
    if (text === undefined)
      throw new PortholeError("state", `${this.#path} can't be opened with this secret of the cluster`, {
        hint: "Give the secret that all relays of the cluster have, or move the file away to join another cluster.",
      });
    const { created, revision, records } = JSON.parse(text) as Mirror;
    return { created, revision, records: readSharedRecords(records) };
  }

  /** A line in the log says when it can't be written. */
  async write(mirror: Mirror): Promise<void> {
    if (mirror.revision === this.#written) return;
    try {
      await writeFileAtomic(this.#path, this.#sealer.seal(place, JSON.stringify(mirror)), { mode: 0o600 });
      this.#written = mirror.revision;
    } catch (reason) {
      this.#log.warn({}, PortholeError.from(reason).message);
    }
  }
}
