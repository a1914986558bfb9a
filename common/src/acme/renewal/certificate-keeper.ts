import { PortholeError } from "../../errors.ts";
import { generateKey } from "../../identity/index.ts";
import { canonicalHostName } from "../../protocol/index.ts";
import { Secret } from "../../util/index.ts";
import { StateReporter, type CertificateState, type OrderPhase } from "./certificate-state.ts";
import { validateChain } from "../order/chain.ts";
import { assertCertifiable } from "../order/csr.ts";
import type { CertificateIssuer } from "../order/issuer.ts";
import { problemOf } from "../wire/problem.ts";
import type { CertificateRecord } from "./record.ts";
import { renewalTime } from "./renewal.ts";
import { checkRenewalWindow } from "./renewal-window.ts";
import { afterFailure, noFailures, onClock, type Failure, type RetryState } from "./retry.ts";
import { sleepUntil } from "./sleep-until.ts";
import { StoredCertificate, type StoredCertificateOptions } from "./stored-certificate.ts";

const saveAgainMs = 60_000;
/** The longest pause between attempts that cost a certificate authority no work. */
const maxUnreachablePauseMs = 10 * 60_000;
/** A certificate that is due as soon as it is there means that a clock is wrong; ordering more of them does not set it right. */
const dueAtOncePauseMs = 24 * 3_600_000;

export interface KeeperOptions extends StoredCertificateOptions {
  readonly issuer: CertificateIssuer;
  readonly renewDays?: number | undefined;
  readonly random?: () => number;
  /** Resolves when validators would get through to us; rejects to say why they would not. Before each order. */
  readonly whenReachable?: (signal: AbortSignal) => Promise<void>;
  /** Asks the relay, which shares out the authority's limits. Rejects with `busy` and retryAfterMs when it is not our turn. */
  readonly quota?: (
    request: { readonly name: string; readonly isRenewal: boolean },
    signal: AbortSignal,
  ) => Promise<void>;
  readonly onState?: (state: CertificateState) => void;
}

/**
 * Keeps one name's certificate: loads it, orders it when there is none or it is due, and puts it into service. Nothing is ordered before
 * the attempt is written down, so that whatever happens, also restarts and full disks, the pauses of retry.ts hold.
 */
export class CertificateKeeper {
  readonly #options: KeeperOptions;
  readonly #reporter: StateReporter;
  readonly #stored: StoredCertificate;
  /** Failures of whenReachable; they concern no authority, and a restart may forget them. */
  #unreachable: RetryState = noFailures;
  #isLoaded = false;
  #isRunning = false;

  constructor(options: KeeperOptions) {
    const { name, log, onState } = options;
    if (canonicalHostName(name) !== name)
      throw new PortholeError("usage", `No certificate can be ordered for ${JSON.stringify(name)}`, {
        hint: "A certificate needs a host name in lower case; wildcards and addresses can't be validated in this way.",
      });
    this.#options = options;
    this.#reporter = new StateReporter(name, log, onState);
    this.#stored = new StoredCertificate(this.#emptyRecord(), options);
  }

  get state(): CertificateState {
    return this.#reporter.state;
  }

  /** Puts into service what another process has put into the store. Rejects when it can't be read. */
  async reread(): Promise<void> {
    if (this.#isLoaded) await this.#stored.read();
  }

  /** Works until the signal aborts. Never rejects for what goes wrong with a certificate: that is in the state. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#isRunning)
      throw new PortholeError("internal", `The certificate of ${this.#options.name} is kept already`);
    this.#isRunning = true;
    try {
      while (!signal.aborted) {
        const until = await this.#step(signal);
        if (!signal.aborted) await sleepUntil(this.#options.clock, until, signal);
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Does what is to be done now; returns when to look again. */
  async #step(signal: AbortSignal): Promise<number> {
    const { clock } = this.#options;
    try {
      if (!this.#isLoaded) {
        await this.#stored.read();
        this.#isLoaded = true;
      }
      if (!this.#stored.isSaved) {
        this.#stored.useUnsavedInNeed(); // a full disk has no room for a lock either
        await this.#stored.locked(signal, () => this.#save());
        if (!this.#stored.isSaved) return clock.now() + saveAgainMs;
      }
      await this.#checkClock(signal);
      if (this.#isFromIssuer()) await checkRenewalWindow(this.#stored, this.#options, signal);
      const nextAt = this.#nextAttemptAt();
      if (nextAt <= clock.now()) {
        await this.#attempt(signal);
        return clock.now();
      }
      this.#reportRest(nextAt);
      return Math.min(nextAt, this.#stored.record.checkWindowAt ?? Number.POSITIVE_INFINITY);
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
    await this.#stored.locked(signal, async (within) => {
      // Another process may have ordered while this one waited for the lock.
      if (this.#nextAttemptAt() > clock.now() || (await this.#isAfterCrash())) return;
      try {
        if (key) assertCertifiable(key);
        await this.#order(within);
      } catch (reason) {
        if (signal.aborted) return;
        const failure = this.#failure(reason, clock.now(), problemOf(reason)?.status === 0);
        const retry = afterFailure(this.#stored.record.retry, failure);
        this.#stored.setRetry(retry);
        // Without the lock the store is another's. With a full disk it says that an order was begun, which does as well.
        if (!within.aborted) await this.#stored.write();
        this.#fail(failure.error, retry.nextAttemptAt);
      }
    });
  }

  async #order(signal: AbortSignal): Promise<void> {
    const { name, issuer, clock, log, quota } = this.#options;
    const { retry } = this.#stored.record;
    const replaces = this.#isFromIssuer() ? this.#stored.usable?.chain : undefined;
    this.#stored.setRetry({ ...retry, startedAt: clock.now() });
    await this.#stored.writeOrFail();
    await quota?.({ name, isRenewal: replaces !== undefined }, signal);
    this.#reportWork("ordering");
    const key = this.#options.key ?? generateKey();
    const stagingFirst = retry.failedAt !== undefined && retry.invalidAt.includes(retry.failedAt);
    const chain = await issuer.issue({ name, key, stagingFirst, replaces }, signal);
    const fault = validateChain(chain, name, key);
    if (fault !== undefined)
      throw new PortholeError("ca", `The authority's certificate for ${name} can't serve: ${fault}`);
    const notAfter = new Date(chain.notAfter).toISOString();
    log.info({ name, directory: issuer.directoryUrl, notAfter }, "A new certificate is there");
    const empty = this.#emptyRecord();
    const isDueAtOnce = renewalTime(chain, { jitter: empty.jitter }) <= clock.now();
    this.#stored.setNew({
      ...empty,
      directoryUrl: issuer.directoryUrl,
      chain,
      ...(this.#options.key ? {} : { keyPem: new Secret(key.pem) }),
      ...(isDueAtOnce && {
        retry: afterFailure(noFailures, this.#failure(clockError(name, notAfter), clock.now(), false)),
      }),
    });
    await this.#save();
  }

  /** An order whose end nobody wrote down counts as a failed one, or a program that crashes in it would order indefinitely. */
  async #isAfterCrash(): Promise<boolean> {
    const { clock, name } = this.#options;
    const { startedAt } = this.#stored.record.retry;
    if (startedAt === undefined) return false;
    const error = new PortholeError("ca", `The last order for ${name} was not finished`);
    const retry = afterFailure(this.#stored.record.retry, this.#failure(error, Math.min(startedAt, clock.now()), true));
    this.#stored.setRetry(retry);
    await this.#stored.write();
    const isTooEarly = this.#nextAttemptAt() > clock.now();
    if (isTooEarly) this.#fail(error, retry.nextAttemptAt);
    return isTooEarly;
  }

  /** A full disk is no failure of the authority's. */
  async #save(): Promise<void> {
    try {
      await this.#stored.save();
    } catch (reason) {
      this.#fail(PortholeError.from(reason), this.#options.clock.now() + saveAgainMs);
    }
  }

  /** A pause that was begun on a clock that was ahead. */
  async #checkClock(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    if ((this.#stored.record.retry.failedAt ?? 0) <= clock.now()) return;
    await this.#stored.locked(signal, async () => {
      this.#stored.setRetry(onClock(this.#stored.record.retry, clock.now()));
      await this.#stored.write();
    });
  }

  #isFromIssuer(): boolean {
    return this.#stored.record.directoryUrl === this.#options.issuer.directoryUrl;
  }

  #dueAt(): number {
    const { directoryUrl, window, jitter } = this.#stored.record;
    if (!this.#stored.usable) return 0;
    // Another authority was chosen (staging is over, for example). One that somebody put there serves until it is due.
    if (!this.#isFromIssuer() && directoryUrl !== undefined) return 0;
    const { renewDays } = this.#options;
    return renewalTime(this.#stored.usable.chain, {
      window: this.#isFromIssuer() ? window : undefined,
      renewDays,
      jitter,
    });
  }

  #nextAttemptAt(): number {
    const now = this.#options.clock.now();
    const { retry } = this.#stored.record;
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
    this.#reporter.working(phase, this.#stored.usable?.chain.notAfter);
  }

  #reportRest(nextAt: number): void {
    const { failures, lastError } = this.#stored.record.retry;
    const failed = failures > 0 ? lastError : this.#unreachable.lastError;
    if (failed) {
      const { code, message, hint } = failed;
      this.#fail(new PortholeError(code, message, hint === undefined ? {} : { hint }), nextAt);
    } else if (this.#stored.usable) this.#reporter.valid(this.#stored.usable.chain.notAfter, nextAt);
  }

  #fail(error: PortholeError, nextAttemptAt: number | undefined): void {
    this.#reporter.failed(error, this.#stored.usable?.chain.notAfter, nextAttemptAt);
  }
}

function clockError(name: string, notAfter: string): PortholeError {
  return new PortholeError("ca", `The new certificate for ${name} would be due at once: it ends at ${notAfter}`, {
    hint: "Set this machine's clock.",
    retryAfterMs: dueAtOncePauseMs,
  });
}
