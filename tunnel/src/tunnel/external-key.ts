import { join } from "node:path";
import type { KeyObject } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import {
  algorithmOf,
  checkedSignature,
  checkGrant,
  formatGrant,
  grantText,
  loadOrCreateKey,
  readGrant,
  type IdentityKey,
  type PublicIdentity,
  type SignatureAlgorithm,
} from "@porthole/common/identity";
import type { Logger } from "@porthole/common/log";
import { orAbort, readFileIfExists, sleep, withDeadline, writeFileAtomic, type Clock } from "@porthole/common/util";
import { limits } from "./limits.ts";

/** What the holder of a key is asked to sign. */
export interface SignRequest {
  readonly clientId: string;
  readonly fingerprint: string;
  readonly algorithm: SignatureAlgorithm;
  readonly data: Buffer;
  /** Until when the signature lets this machine speak for the key. */
  readonly validUntil: number;
}

/** Rejects with `signer` when the holder says no. The signal aborts when nobody waits for the signature any more. */
export type Sign = (request: SignRequest, signal: AbortSignal) => Promise<Uint8Array>;

export interface ExternalKeyOptions {
  readonly identity: PublicIdentity;
  readonly sign: Sign;
  /** Where the local key and its grants are kept, so that a restart needs no signature. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * A key whose private half is elsewhere: in a phone's key store, on a token, in another program. Its holder signs one text for each key
 * that links are known by: that this key may act in its place for a day. TLS is done by a key of this machine.
 */
export class ExternalKey implements PublicIdentity {
  readonly publicKey: KeyObject;
  readonly kind: PublicIdentity["kind"];
  readonly spki: Buffer;
  readonly clientId: string;
  readonly fingerprint: string;
  /** Does what needs a private key at each connection: TLS with relays, where no owner does, and with visitors. */
  readonly standIn: IdentityKey;
  readonly #options: ExternalKeyOptions;
  /** By the fingerprint of the key that may act. */
  readonly #grants = new Map<string, HeldGrant>();
  readonly #asking = new Map<string, Question>();
  /** Grants that this process uses. */
  readonly #used = new Set<string>();
  readonly #onRenewed = new Set<(fingerprint: string) => void>();
  /** The holder is asked one thing at a time: it may be a person. */
  #turn: Promise<unknown> = Promise.resolve();
  /** After a failure the holder is left alone for a while. */
  #pause: { readonly until: number; readonly ms: number; readonly error: PortholeError } | undefined;

  private constructor(options: ExternalKeyOptions, standIn: IdentityKey) {
    const { publicKey, kind, spki, clientId, fingerprint } = options.identity;
    this.publicKey = publicKey;
    this.kind = kind;
    this.spki = spki;
    this.clientId = clientId;
    this.fingerprint = fingerprint;
    this.standIn = standIn;
    this.#options = options;
  }

  /** Throws `state`. */
  static async open(options: ExternalKeyOptions): Promise<ExternalKey> {
    const { folder, identity, log } = options;
    const standIn = await loadOrCreateKey(join(folder, `${identity.clientId}.pem`), { logger: log });
    const key = new ExternalKey(options, standIn);
    await key.#load();
    return key;
  }

  /**
   * The grant for a key of this machine, which proves to a relay that it speaks for this one. Asks the holder where there is none; one
   * that is half over is renewed in the background. Rejects with `signer`, `key`, `timeout` or `closed`.
   */
  async grantFor(fingerprint: string, signal: AbortSignal): Promise<string> {
    const { clock } = this.#options;
    const held = this.#grants.get(fingerprint);
    this.#used.add(fingerprint);
    if (held && held.until - clock.now() > limits.grant.leastLeftMs) return held.text;
    return this.#ask(fingerprint, signal);
  }

  /** The holder is there again: it is asked at once. */
  wake(): void {
    this.#pause = undefined;
  }

  /** Calls back when there is another grant for a key that had one; returns what ends it. */
  onRenewed(listener: (fingerprint: string) => void): () => void {
    this.#onRenewed.add(listener);
    return () => this.#onRenewed.delete(listener);
  }

  /** Renews what is half over until the signal aborts. Never rejects. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      const now = clock.now();
      for (const fingerprint of this.#used) {
        const { until = Number.POSITIVE_INFINITY } = this.#grants.get(fingerprint) ?? {};
        if (until - now > limits.grant.forMs / 2) continue;
        await this.#ask(fingerprint, signal).catch((reason: unknown) => {
          const { code, message } = PortholeError.from(reason);
          if (!signal.aborted && code !== "aborted")
            log.warn(
              { client: this.clientId, code },
              `The key's grant was not renewed, and ends in a while: ${message}`,
            );
        });
      }
      await sleep(clock, limits.grant.lookMs, signal).catch(() => {});
    }
  }

  async #ask(fingerprint: string, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    const pause = this.#pause;
    if (pause && pause.until > this.#options.clock.monotonic()) throw pause.error;
    const question = this.#asking.get(fingerprint) ?? this.#newQuestion(fingerprint);
    question.waiting += 1;
    try {
      return await orAbort(signal, question.answer);
    } finally {
      question.waiting -= 1;
      if (question.waiting === 0) {
        question.cancel.abort(new PortholeError("aborted", "The signature is not needed"));
        // It may wait behind others; who comes now needs another one.
        this.#forget(fingerprint, question);
      }
    }
  }

  #newQuestion(fingerprint: string): Question {
    const cancel = new AbortController();
    const answer = this.#turn.then(() => this.#sign(fingerprint, cancel.signal));
    const question: Question = { answer, cancel, waiting: 0 };
    this.#asking.set(fingerprint, question);
    this.#turn = answer.then(
      () => {
        this.#pause = undefined;
      },
      (reason: unknown) => this.#onFailure(PortholeError.from(reason)),
    );
    void this.#turn.then(() => this.#forget(fingerprint, question));
    return question;
  }

  #forget(fingerprint: string, question: Question): void {
    if (this.#asking.get(fingerprint) === question) this.#asking.delete(fingerprint);
  }

  #onFailure(error: PortholeError): void {
    const { firstMs, maxMs } = limits.grant.pause;
    if (error.code === "aborted") return;
    const ms = Math.min(this.#pause ? this.#pause.ms * 2 : firstMs, maxMs);
    this.#pause = { ms, error, until: this.#options.clock.monotonic() + ms };
  }

  async #sign(fingerprint: string, parent: AbortSignal): Promise<string> {
    parent.throwIfAborted();
    const { clock, log, sign } = this.#options;
    const { clientId } = this;
    const until = clock.now() + limits.grant.forMs;
    const text = grantText(fingerprint, until);
    const request = {
      ...{ clientId, fingerprint: this.fingerprint, algorithm: algorithmOf(this), validUntil: until },
      data: Buffer.from(text),
    };
    log.info({ client: clientId }, "Asks the key's holder for a signature");
    const what = "The signature of the key's holder";
    const signature = await withDeadline(
      { clock, delayMs: limits.grant.signDeadlineMs, what, signal: parent },
      (signal) => orAbort(signal, sign(request, signal)),
    );
    const grant = { text: formatGrant(this, checkedSignature(this, text, signature), until), until };
    const isRenewed = this.#grants.has(fingerprint);
    this.#grants.set(fingerprint, grant);
    await this.#save();
    if (isRenewed) for (const listener of this.#onRenewed) listener(fingerprint);
    return grant.text;
  }

  get #path(): string {
    return join(this.#options.folder, `${this.clientId}.json`);
  }

  /** What is damaged or over is left out: it can be asked for again. */
  async #load(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const content: unknown = JSON.parse((await readFileIfExists(this.#path))?.toString() ?? "{}");
      for (const [fingerprint, text] of Object.entries(content ?? {}).slice(0, limits.grant.maxKept)) {
        const { by, until } = readGrant(String(text), fingerprint);
        checkGrant({ until }, clock.now());
        if (by.fingerprint === this.fingerprint) this.#grants.set(fingerprint, { text: String(text), until });
      }
    } catch (reason) {
      log.debug({ path: this.#path }, `A key's grants are not used: ${PortholeError.from(reason).message}`);
    }
  }

  /** Failing costs a signature after the next start, and nothing now. */
  async #save(): Promise<void> {
    const now = this.#options.clock.now();
    for (const [fingerprint, { until }] of this.#grants) if (until <= now) this.#grants.delete(fingerprint);
    const content = Object.fromEntries([...this.#grants].map(([fingerprint, { text }]) => [fingerprint, text]));
    try {
      await writeFileAtomic(this.#path, JSON.stringify(content));
    } catch (reason) {
      this.#options.log.warn({ path: this.#path }, PortholeError.from(reason).message);
    }
  }
}

interface HeldGrant {
  readonly text: string;
  readonly until: number;
}

interface Question {
  readonly answer: Promise<string>;
  readonly cancel: AbortController;
  waiting: number;
}
