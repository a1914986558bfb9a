import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { deserialize, serialize } from "node:v8";
import type { Clock } from "@porthole/common/util";
import { readFileIfExists, stateError, writeFileAtomic } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import type { KeptRecordings } from "./kept-recordings.ts";

/** A window that is reloaded is back within a minute. */
const maxAgeMs = 10 * 60_000;
const maxFileBytes = 64 * 1024 * 1024;
const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

export interface KeptFileOptions {
  readonly path: string;
  /** 32 bytes. */
  readonly key: Buffer;
  /** Whose requests: a file of another tunnel is refused. */
  readonly owner: string;
  readonly clock: Clock;
}

interface Content {
  readonly savedAt: number;
  readonly kept: KeptRecordings;
}

/**
 * Where an inspector's requests outlive its process, once and for minutes: encrypted with a key that is kept elsewhere, and gone as
 * soon as it is read. Only the same version reads it.
 */
export class KeptFile {
  readonly #options: KeptFileOptions;

  constructor(options: KeptFileOptions) {
    this.#options = options;
  }

  /** Rejects with `state`. */
  async write(kept: KeptRecordings): Promise<void> {
    const { path, key, clock } = this.#options;
    const content: Content = { savedAt: clock.now(), kept };
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, key, nonce).setAAD(this.#purpose());
    const sealed = [nonce, cipher.update(serialize(content)), cipher.final(), cipher.getAuthTag()];
    await writeFileAtomic(path, Buffer.concat(sealed));
  }

  /** Takes what is there away. Undefined when there is nothing, or it is too old. Rejects with `state` when it can't be read. */
  async take(): Promise<KeptRecordings | undefined> {
    const { path, key, clock } = this.#options;
    try {
      const sealed = await readFileIfExists(path, { maxBytes: maxFileBytes });
      if (!sealed) return undefined;
      const end = sealed.length - tagBytes;
      const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decipher.setAAD(this.#purpose()).setAuthTag(sealed.subarray(Math.max(0, end)));
      const bytes = Buffer.concat([decipher.update(sealed.subarray(nonceBytes, end)), decipher.final()]);
      const { savedAt, kept } = deserialize(bytes) as Content;
      const ageMs = clock.now() - savedAt;
      return ageMs >= 0 && ageMs <= maxAgeMs ? kept : undefined;
    } catch (reason) {
      throw stateError("read", path, reason);
    } finally {
      await rm(path, { force: true }).catch(() => {});
    }
  }

  #purpose(): Buffer {
    return Buffer.from(`porthole requests ${version} ${this.#options.owner}`);
  }
}
