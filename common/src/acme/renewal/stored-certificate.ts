import { PortholeError } from "../../errors.ts";
import type { IdentityKey } from "../../identity/index.ts";
import type { Logger } from "../../log.ts";
import { whileHeld, type Clock } from "../../util/index.ts";
import type { RenewalWindow } from "../order/ari.ts";
import type { ServedCertificate } from "./certificate-state.ts";
import type { CertificateRecord } from "./record.ts";
import { emergencyTime } from "./renewal.ts";
import type { RetryState } from "./retry.ts";
import type { CertificateStore, StoredRecord } from "./store.ts";
import { usableOf, type Usable } from "./usable.ts";

export interface StoredCertificateOptions {
  readonly name: string;
  readonly store: CertificateStore;
  /** The certificates' key. When absent each gets a new one, which is kept with it. */
  readonly key?: IdentityKey | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Puts the certificate into service. Called with the stored one first, also if that has expired: our clock may be what is wrong. */
  readonly onCertificate: (certificate: ServedCertificate) => void;
}

/** One name's certificate and what is known about it: what the store has, what this process has besides, and what of it serves. */
export class StoredCertificate {
  readonly #options: StoredCertificateOptions;
  #record: CertificateRecord;
  #usable: Usable | undefined;
  /** Ordered, but not in the store yet. */
  #unsaved: CertificateRecord | undefined;
  #servedPem = "";

  constructor(empty: CertificateRecord, options: StoredCertificateOptions) {
    this.#options = options;
    this.#record = empty;
  }

  get record(): CertificateRecord {
    return this.#record;
  }

  /** The certificate that can serve, whether it is valid now or not. Undefined when none can. */
  get usable(): Usable | undefined {
    return this.#usable;
  }

  get isSaved(): boolean {
    return this.#unsaved === undefined;
  }

  /** Sets it in memory; `write` or `writeOrFail` comes next. */
  setRetry(retry: RetryState): void {
    this.#record = { ...this.#record, retry };
  }

  /** Sets it in memory; `write` comes next. */
  setWindow(window: RenewalWindow | undefined, checkWindowAt: number): void {
    const { window: _old, ...rest } = this.#record;
    this.#record = { ...rest, ...(window && { window }), checkWindowAt };
  }

  /** Rejects when the store can't be read. */
  async read(): Promise<void> {
    this.#adopt(await this.#options.store.read());
  }

  /** Does the work with the store locked and read again. */
  async locked(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await whileHeld(await this.#options.store.lock(signal), signal, async (within) => {
      await this.read();
      await work(within);
    });
  }

  async writeOrFail(): Promise<void> {
    await this.#options.store.write(this.#record);
  }

  /** Writes the record. A failure is logged and not thrown: the program only loses knowledge about the renewal. */
  async write(): Promise<void> {
    const { log, name } = this.#options;
    await this.writeOrFail().catch((reason: unknown) => log.warn({ name }, PortholeError.from(reason).message));
  }

  /** A new certificate, which serves once it is saved. */
  setNew(record: CertificateRecord): void {
    this.#unsaved = record;
  }

  /** Rejects when it can't be written, and may be called again then. */
  async save(): Promise<void> {
    const record = this.#unsaved;
    if (!record) return;
    try {
      await this.#options.store.write(record);
    } catch (reason) {
      this.useUnsavedInNeed();
      throw reason;
    }
    this.#unsaved = undefined;
    this.#use(record);
  }

  /** Until the new certificate is in the store the old one serves, unless that is as good as none. */
  useUnsavedInNeed(): void {
    const now = this.#options.clock.now();
    if (this.#unsaved && (!this.#usable || emergencyTime(this.#usable.chain) <= now)) this.#use(this.#unsaved);
  }

  /** Takes over what the store has, which may be another process's work. */
  #adopt({ record, damage }: StoredRecord): void {
    const { name, log, clock } = this.#options;
    if (damage) log.error({ name, hint: damage.hint }, damage.message);
    if (!record) return;
    const isNewer = (record.chain?.notAfter ?? 0) > (this.#unsaved?.chain?.notAfter ?? 0);
    if (this.#unsaved && !isNewer) return;
    this.#unsaved = undefined;
    if (record.name === name || record.name === "") this.#use({ ...record, name });
    else if (record.chain && record.chain.notAfter > clock.now())
      throw new PortholeError("usage", `The certificate file is for ${record.name} and not for ${name}`, {
        hint: "Give each name a file of its own.",
      });
  }

  #use(record: CertificateRecord): void {
    const { name, log, key: ownKey, onCertificate } = this.#options;
    this.#record = record;
    const { usable, fault } = usableOf(record, name, ownKey);
    if (fault !== undefined) log.warn({ name }, `The stored certificate can't serve: ${fault}`);
    if (!usable) return;
    this.#usable = usable;
    const { chain, key } = usable;
    if (chain.pem === this.#servedPem) return;
    this.#servedPem = chain.pem;
    const { pem: chainPem, notBefore, notAfter } = chain;
    try {
      onCertificate({ name, chainPem, key, notBefore, notAfter, directoryUrl: record.directoryUrl });
    } catch (reason) {
      log.error({ name, reason }, "The certificate could not be put into service");
    }
  }
}
