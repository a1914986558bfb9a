import type { PortholeError } from "../../errors.ts";
import { lockFile, type Clock, type Lock } from "../../util/index.ts";
import { moveDamaged, readFileIfExists, writeFileAtomic } from "../../util/state-file.ts";
import { decodeRecord, encodeRecord, type CertificateRecord } from "./record.ts";

export interface StoredRecord {
  readonly record: CertificateRecord | undefined;
  /** The damage of the file. The record has the parts that could be read. */
  readonly damage?: PortholeError;
}

/** Keeps one certificate with its key and the state of its renewal, together. */
export interface CertificateStore {
  /** Rejects with `state` only if there may be a record that can't be read now. */
  read(): Promise<StoredRecord>;
  /** Replaces the record as a whole. When it rejects the old one is still there. */
  write(record: CertificateRecord): Promise<void>;
  /** Keeps other processes with the same store from ordering. After waiting for it the store has to be read again. */
  lock(signal: AbortSignal): Promise<Lock>;
}

/** One PEM file, which other programs can read too. A damaged one is moved to NAME.damaged before it is written again. */
export function fileStore(path: string, clock: Clock): CertificateStore {
  let isDamaged = false;
  return {
    async read() {
      const content = await readFileIfExists(path);
      isDamaged = false;
      if (content === undefined) return { record: undefined };
      const stored = decodeRecord(content.toString("utf8"), path);
      isDamaged = stored.damage !== undefined;
      return stored;
    },
    async write(record) {
      const text = encodeRecord(record);
      if (isDamaged) {
        await moveDamaged(path);
        isDamaged = false;
      }
      await writeFileAtomic(path, text);
    },
    lock: (signal) => lockFile(`${path}.lock`, clock, signal),
  };
}
