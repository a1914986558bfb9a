// What the tests of this folder share. It has the name of a test so that it is not published.
import assert from "node:assert/strict";
import { PortholeError } from "../../errors.ts";
import { generateKey, type IdentityKey } from "../../identity/index.ts";
import { silentLogger } from "../../log.ts";
import { FakeClock } from "@porthole/testing/fake-clock";
import { TestAuthority } from "@porthole/testing/test-authority";
import type { RenewalWindow } from "../order/ari.ts";
import type { CertificateState, ServedCertificate } from "./certificate-state.ts";
import { parseChain } from "../order/chain.ts";
import type { CertificateIssuer, IssueRequest } from "../order/issuer.ts";
import { CertificateKeeper, type KeeperOptions } from "./certificate-keeper.ts";
import { AcmeProblem, validationError } from "../wire/problem.ts";
import { decodeRecord, encodeRecord } from "./record.ts";
import type { CertificateStore } from "./store.ts";

export const name = "abc.tunnel.test";
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** One file in memory, with a real file's text. */
export class MemoryStore implements CertificateStore {
  text: string | undefined;
  isFull = false;
  isUnreadable = false;
  #last: Promise<void> = Promise.resolve();

  async read() {
    if (this.isUnreadable) throw new PortholeError("state", "Can't read the file: no permission");
    return this.text === undefined ? { record: undefined } : decodeRecord(this.text, "cert.pem");
  }

  async write(record: Parameters<CertificateStore["write"]>[0]) {
    if (this.isFull) throw new PortholeError("state", "Can't write the file: the disk is full");
    this.text = encodeRecord(record);
  }

  async lock() {
    if (this.isFull) throw new PortholeError("state", "Can't write the file: the disk is full");
    const before = this.#last;
    let release = (): void => {};
    this.#last = new Promise((resolve) => (release = resolve));
    await before;
    return { signal: new AbortController().signal, release: async () => release() };
  }
}

export class FakeIssuer implements CertificateIssuer {
  readonly directoryUrl: string = "https://ca.test/directory";
  readonly orders: (IssueRequest & { readonly at: number })[] = [];
  lifetimeMs = 90 * dayMs;
  error: PortholeError | undefined;
  window: ((notBefore: number) => RenewalWindow) | undefined;
  windowQuestions = 0;
  hangs = false;
  readonly #clock: FakeClock;
  readonly #authority: TestAuthority;

  constructor(clock: FakeClock, directoryUrl?: string) {
    this.#clock = clock;
    this.#authority = new TestAuthority({ now: clock.now() });
    if (directoryUrl !== undefined) this.directoryUrl = directoryUrl;
  }

  async issue(request: IssueRequest, signal: AbortSignal) {
    this.orders.push({ ...request, at: this.#clock.now() });
    if (this.hangs)
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    if (this.error) throw this.error;
    return parseChain(this.issued(request.key), "It");
  }

  issued({ spki }: IdentityKey, notBefore = this.#clock.now()): string {
    return this.#authority.issue({ dnsName: name, spki, notBefore, notAfter: notBefore + this.lifetimeMs });
  }

  async renewalWindow(chain: { readonly notBefore: number }) {
    this.windowQuestions++;
    return { window: this.window?.(chain.notBefore), retryAfterMs: undefined };
  }
}

/** A keeper with its store, its authority and a clock, and what it has reported. */
export class KeeperWorld {
  readonly clock = new FakeClock();
  readonly store = new MemoryStore();
  issuer = new FakeIssuer(this.clock);
  key = generateKey();
  readonly served: ServedCertificate[] = [];
  readonly states: CertificateState[] = [];
  #stop = new AbortController();
  readonly #running: Promise<void>[] = [];

  start(more: Partial<KeeperOptions> = {}): CertificateKeeper {
    const { issuer, store, key, clock } = this;
    const keeper = new CertificateKeeper({
      ...{ name, issuer, store, key, clock, log: silentLogger },
      random: () => 0,
      onCertificate: (certificate) => this.served.push(certificate),
      onState: (state) => this.states.push(state),
      ...more,
    });
    this.#running.push(keeper.run(this.#stop.signal));
    return keeper;
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
    this.#stop = new AbortController();
  }

  async restart(more: Partial<KeeperOptions> = {}): Promise<CertificateKeeper> {
    await this.end();
    return this.start(more);
  }

  async close(): Promise<void> {
    await this.end();
    assert.equal(this.clock.pending, 0);
  }
}

export const invalid = (): PortholeError => validationError(name, new AcmeProblem("connection", 0, "no"));
