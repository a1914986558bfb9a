import { PortholeError } from "../errors.ts";
import { generateKey, type IdentityKey } from "../identity/index.ts";
import type { Logger } from "../log.ts";
import { canonicalHostName } from "../protocol/index.ts";
import { Secret, whileHeld, type Clock } from "../util/index.ts";
import { nextWindowCheck } from "./ari.ts";
import { StateReporter, type CertificateState, type OrderPhase, type ServedCertificate } from "./certificate-state.ts";
import { misfit } from "./chain.ts";
import { assertCertifiable } from "./csr.ts";
import type { CertificateIssuer } from "./issuer.ts";
import { Nap } from "./nap.ts";
import { problemOf } from "./problem.ts";
import type { CertificateRecord } from "./record.ts";
import { emergencyTime, renewalTime } from "./renewal.ts";
import { afterFailure, noFailures, onClock, withoutPause, type Failure, type RetryState } from "./retry.ts";
import type { CertificateStore, StoredRecord } from "./store.ts";
import { usableOf, type Usable } from "./usable.ts";

const saveAgainMs = 60_000;
/** Without a certificate authority's work in it an attempt may be repeated at this pace. */
const maxUnreachablePauseMs = 10 * 60_000;
/** A certificate that is due as soon as it is there means that a clock is wrong; ordering more of them does not set it right. */
const dueAtOncePauseMs = 24 * 3_600_000;

export interface KeeperOptions {
  readonly name: string;
  readonly issuer: CertificateIssuer;
  readonly store: CertificateStore;
  /** The certificates' key. When absent each gets a new one, which is kept with it. */
  readonly key?: IdentityKey | undefined;
  readonly renewDays?: number | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random?: () => number;
  /** Resolves when validators would get through to us; rejects to say why they would not. Before each order. */
  readonly whenReachable?: (signal: AbortSignal) => Promise<void>;
  /** Asks whoever shares the authority's limits out. Rejects with `busy` and retryAfterMs when it is not our turn. */
  readonly permit?: (
    request: { readonly name: string; readonly isRenewal: boolean },
    signal: AbortSignal,
  ) => Promise<void>;
  /** Puts the certificate into service. Called with the stored one first, also if that has expired: our clock may be what is wrong. */
  readonly onCertificate: (certificate: ServedCertificate) => void;
  readonly onState?: (state: CertificateState) => void;
}

/**
 * Keeps one name's certificate: loads it, orders it when there is none or it is due, and puts it into service. Nothing is ordered before
 * the attempt is written down, so that whatever happens, also restarts and full disks, the pauses of retry.ts hold.
 */
export class CertificateKeeper {
  readonly #options: KeeperOptions;
  readonly #reporter: StateReporter;
  readonly #nap: Nap;
  #record: CertificateRecord;
  #usable: Usable | undefined;
  /** Ordered, but not on disk yet. */
  #unsaved: CertificateRecord | undefined;
  /** Failures of whenReachable; they concern no authority, and a restart may forget them. */
  #unreachable: RetryState = noFailures;
  #isLoaded = false;
  #isRunning = false;
  #isUrgent = false;
  #servedPem = "";

  constructor(options: KeeperOptions) {
    const { name, log, onState } = options;
    if (canonicalHostName(name) !== name)
      throw new PortholeError("usage", `No certificate can be ordered for ${JSON.stringify(name)}`, {
        hint: "A certificate needs a host name in lower case; wildcards and addresses can't be validated in this way.",
      });
    this.#options = options;
    this.#nap = new Nap(options.clock);
    this.#reporter = new StateReporter(name, log, onState);
    this.#record = this.#emptyRecord();
  }

  get state(): CertificateState {
    return this.#reporter.state;
  }

  /** Works until the signal aborts. Never rejects for what goes wrong with a certificate: that is in the state. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#isRunning)
      throw new PortholeError("internal", `The certificate of ${this.#options.name} is kept already`);
    this.#isRunning = true;
    try {
      while (!signal.aborted) {
        const until = await this.#step(signal);
        if (!signal.aborted) await this.#nap.until(until, signal);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Skips the pause after a failure, but never the authority's own limits. */
  retryNow(): void {
    this.#isUrgent = true;
    this.#unreachable = noFailures;
    this.#nap.end();
  }

  /** Does what is to be done now; answers when to look again. */
  async #step(signal: AbortSignal): Promise<number> {
    const { clock, store } = this.#options;
    try {
      if (!this.#isLoaded) {
        this.#adopt(await store.read());
        this.#isLoaded = true;
      }
      if (this.#unsaved) {
        this.#useUnsavedInNeed(); // a full disk has no room for a lock either
        await this.#locked(signal, () => this.#save());
        if (this.#unsaved) return clock.now() + saveAgainMs;
      }
      await this.#checkClock(signal);
      await this.#checkWindow(signal);
      const nextAt = this.#nextAttemptAt();
      if (nextAt <= clock.now()) {
        await this.#attempt(signal);
        return clock.now();
      }
      this.#reportRest(nextAt);
      return Math.min(nextAt, this.#record.checkWindowAt ?? Number.POSITIVE_INFINITY);
    } catch (reason) {
      // The store can't be read or locked. There may be a good certificate in it, so nothing is ordered.
      const nextAttemptAt = clock.now() + saveAgainMs;
      if (!signal.aborted) this.#fail(PortholeError.from(reason), nextAttemptAt);
      return nextAttemptAt;
    }
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    const { clock, whenReachable, key } = this.#options;
    this.#reportWork("waiting");
    try {
      await whenReachable?.(signal);
      this.#unreachable = noFailures;
    } catch (reason) {
      if (signal.aborted) return;
      this.#unreachable = afterFailure(this.#unreachable, this.#failure(reason, clock.now(), false));
      this.#fail(PortholeError.from(reason), this.#nextAttemptAt());
      return;
    }
    await this.#locked(signal, async (within) => {
      // Another process may have ordered while this one waited for the lock.
      if (this.#nextAttemptAt() > clock.now() || (await this.#isAfterCrash())) return;
      this.#isUrgent = false;
      try {
        if (key) assertCertifiable(key);
        await this.#order(within);
      } catch (reason) {
        if (signal.aborted) return;
        const failure = this.#failure(reason, clock.now(), problemOf(reason)?.status === 0);
        this.#record = { ...this.#record, retry: afterFailure(this.#record.retry, failure) };
        // Without the lock the store is another's. With a full disk it says that an order was begun, which does as well.
        if (!within.aborted) await this.#write();
        this.#fail(failure.error, this.#record.retry.nextAttemptAt);
      }
    });
  }

  async #order(signal: AbortSignal): Promise<void> {
    const { name, issuer, store, clock, log, permit } = this.#options;
    const { retry } = this.#record;
    const replaces = this.#isFromIssuer() ? this.#usable?.chain : undefined;
    this.#record = { ...this.#record, retry: { ...retry, startedAt: clock.now() } };
    await store.write(this.#record);
    await permit?.({ name, isRenewal: replaces !== undefined }, signal);
    this.#reportWork("ordering");
    const key = this.#options.key ?? generateKey();
    const rehearse = retry.failedAt !== undefined && retry.invalidAt.includes(retry.failedAt);
    const chain = await issuer.issue({ name, key, rehearse, replaces }, signal);
    const fault = misfit(chain, name, key);
    if (fault !== undefined)
      throw new PortholeError("ca", `The authority's certificate for ${name} can't serve: ${fault}`);
    const notAfter = new Date(chain.notAfter).toISOString();
    log.info({ name, directory: issuer.directoryUrl, notAfter }, "A new certificate is there");
    const empty = this.#emptyRecord();
    const isDueAtOnce = renewalTime(chain, { jitter: empty.jitter }) <= clock.now();
    this.#unsaved = {
      ...empty,
      directoryUrl: issuer.directoryUrl,
      chain,
      ...(this.#options.key ? {} : { keyPem: new Secret(key.pem) }),
      ...(isDueAtOnce && {
        retry: afterFailure(noFailures, this.#failure(clockError(name, notAfter), clock.now(), false)),
      }),
    };
    await this.#save();
  }

  /** An order whose end nobody wrote down counts as a failed one, or a program that crashes in it would order for ever. */
  async #isAfterCrash(): Promise<boolean> {
    const { clock, name } = this.#options;
    const { startedAt } = this.#record.retry;
    if (startedAt === undefined) return false;
    const error = new PortholeError("ca", `The last order for ${name} was not finished`);
    const retry = afterFailure(this.#record.retry, this.#failure(error, Math.min(startedAt, clock.now()), true));
    this.#record = { ...this.#record, retry };
    await this.#write();
    const isTooEarly = this.#nextAttemptAt() > clock.now();
    if (isTooEarly) this.#fail(error, retry.nextAttemptAt);
    return isTooEarly;
  }

  async #save(): Promise<void> {
    const { store, clock } = this.#options;
    const record = this.#unsaved;
    if (!record) return;
    try {
      await store.write(record);
      this.#unsaved = undefined;
      this.#use(record);
    } catch (reason) {
      this.#useUnsavedInNeed();
      this.#fail(PortholeError.from(reason), clock.now() + saveAgainMs);
    }
  }

  /** Until the new certificate is on disk the old one serves, unless that is as good as none. */
  #useUnsavedInNeed(): void {
    const now = this.#options.clock.now();
    if (this.#unsaved && (!this.#usable || emergencyTime(this.#usable.chain) <= now)) this.#use(this.#unsaved);
  }

  /** A pause that was begun on a clock that was ahead. */
  async #checkClock(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if ((this.#record.retry.failedAt ?? 0) <= clock.now()) return;
    await this.#locked(signal, async () => {
      this.#record = { ...this.#record, retry: onClock(this.#record.retry, clock.now()) };
      await this.#write();
    });
  }

  /** Asks the authority when it wants the certificate to be renewed (RFC 9773); an answer that does not come changes nothing. */
  async #checkWindow(signal: AbortSignal): Promise<void> {
    const { issuer, clock, log, name } = this.#options;
    const now = clock.now();
    const chain = this.#usable?.chain;
    if (!chain || !this.#isFromIssuer() || chain.notAfter <= now) return;
    const { checkWindowAt = 0 } = this.#record;
    if (checkWindowAt > now && checkWindowAt <= nextWindowCheck(now, Number.POSITIVE_INFINITY)) return;
    let { window } = this.#record;
    let retryAfterMs: number | undefined;
    try {
      const answer = await issuer.renewalWindow(chain, signal);
      if (answer.window && window && answer.window.start !== window.start)
        log.info({ name, explanation: answer.window.explanationUrl }, "The authority changed the time of the renewal");
      ({ window, retryAfterMs } = answer);
    } catch (reason) {
      if (signal.aborted) return;
      const error = PortholeError.from(reason);
      ({ retryAfterMs } = error);
      log.debug({ name, code: error.code }, `When to renew is not known: ${error.message}`);
    }
    const known = { ...(window && { window }), checkWindowAt: nextWindowCheck(now, retryAfterMs) };
    // First in memory: where nothing can be written the authority must not be asked every minute.
    this.#record = { ...this.#record, ...known };
    await this.#locked(signal, async () => {
      if (this.#usable?.chain.pem !== chain.pem) return; // another process has a newer one
      const { window: _old, ...rest } = this.#record;
      this.#record = { ...rest, ...known };
      await this.#write();
    });
  }

  /** Does the work with the store locked and read again. */
  async #locked(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { store } = this.#options;
    await whileHeld(await store.lock(signal), signal, async (within) => {
      this.#adopt(await store.read());
      await work(within);
    });
  }

  /** What is only good to know is not worth an error. */
  async #write(): Promise<void> {
    const { store, log, name } = this.#options;
    await store.write(this.#record).catch((reason: unknown) => log.warn({ name }, PortholeError.from(reason).message));
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

  #isFromIssuer(): boolean {
    return this.#record.directoryUrl === this.#options.issuer.directoryUrl;
  }

  #dueAt(): number {
    const { directoryUrl, window, jitter } = this.#record;
    if (!this.#usable) return 0;
    // Another authority was chosen (staging is over, for example). One that somebody put there serves until it is due.
    if (!this.#isFromIssuer() && directoryUrl !== undefined) return 0;
    const { renewDays } = this.#options;
    return renewalTime(this.#usable.chain, { window: this.#isFromIssuer() ? window : undefined, renewDays, jitter });
  }

  #nextAttemptAt(): number {
    const now = this.#options.clock.now();
    const retry = this.#isUrgent ? withoutPause(this.#record.retry, now) : this.#record.retry;
    this.#unreachable = onClock(this.#unreachable, now);
    const { failedAt = 0, nextAttemptAt = 0 } = this.#unreachable;
    return Math.max(this.#dueAt(), retry.nextAttemptAt ?? 0, Math.min(nextAttemptAt, failedAt + maxUnreachablePauseMs));
  }

  #emptyRecord(): CertificateRecord {
    return { name: this.#options.name, jitter: this.#random(), retry: noFailures };
  }

  #failure(reason: unknown, at: number, wasInvalid: boolean): Failure {
    return { error: PortholeError.from(reason), at, wasInvalid, jitter: this.#random() };
  }

  #random(): number {
    return (this.#options.random ?? Math.random)();
  }

  #reportWork(phase: OrderPhase): void {
    this.#reporter.working(phase, this.#usable?.chain.notAfter);
  }

  #reportRest(nextAt: number): void {
    const { failures, lastError } = this.#record.retry;
    const failed = failures > 0 ? lastError : this.#unreachable.lastError;
    if (failed) {
      const { code, message, hint } = failed;
      this.#fail(new PortholeError(code, message, hint === undefined ? {} : { hint }), nextAt);
    } else if (this.#usable) this.#reporter.valid(this.#usable.chain.notAfter, nextAt);
  }

  #fail(error: PortholeError, nextAttemptAt: number | undefined): void {
    this.#reporter.failed(error, this.#usable?.chain.notAfter, nextAttemptAt);
  }
}

function clockError(name: string, notAfter: string): PortholeError {
  return new PortholeError("ca", `The new certificate for ${name} would be due at once: it ends at ${notAfter}`, {
    hint: "Set this machine's clock.",
    retryAfterMs: dueAtOncePauseMs,
  });
}
