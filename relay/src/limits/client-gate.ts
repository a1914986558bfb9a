import { PortholeError, type ErrorCode } from "@porthole/common/errors";
import type { Clock } from "@porthole/common/util";
import { Counter } from "./counter.ts";
import { dropChance } from "./early-drop.ts";
import { LruCache } from "@porthole/common/util";
import { Penalties, type Held } from "./penalties.ts";
import { Rates } from "./rates.ts";
import type { LimitName, OnLimit, RelayLimits } from "./relay-limits.ts";
import { showSource, sourceOf } from "@porthole/common/protocol";

/** One connection of a client, from its first byte to the end of its link. */
export interface PendingClient {
  /** Names its key. Throws `busy` while this key is kept out, because it was refused several times. */
  identify(fingerprint: string): void;
  /** It only tries the relay out: its refusal costs nothing. */
  test(): void;
  /** Counts it as a link of this client from now on. Throws `busy` when the client, its source or the relay has too many. */
  admit(clientId: string): void;
  /** Counts another key that is exposed over the link, by the same limits as a link of its own, until `dropKey` or the end. Throws `busy`. */
  addKey(clientId: string): void;
  dropKey(clientId: string): void;
  /** It has ended, or was refused; `error` says why. The first call counts. */
  end(error: PortholeError): void;
}

export interface ClientGateOptions {
  readonly clock: Clock;
  readonly limits: () => RelayLimits;
  readonly onLimit: OnLimit;
  /** An address, or a network, is kept out from now on. */
  readonly onHeld?: (held: Held) => void;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  readonly random?: () => number;
}

const retryAfterMs = 10_000;
/** An address that a client was admitted from counts as a client's for this long after the link's end. */
const rememberedMs = 3_600_000;
const maxRemembered = 65_536;
/** The rate beyond which refused connections are dropped from an address with an admitted client. */
const refusalsPerSecond = 10;
/** Tests a second from one source that cost nothing. */
const testsPerSecond = 2;
const maxHeldShown = 100;

/** Penalty of a source for each failed admission, in milliseconds. Three of the worse ones keep it out. Failures that are not the client's cost nothing. */
const costMs: Readonly<Partial<Record<ErrorCode, number>>> = {
  unreachable: 1_000, // left during the handshake
  closed: 1_000,
  timeout: 10_000, // a connection that was held and not used
  untrusted: 6_000,
  unauthorized: 6_000,
  name: 1_000,
  version: 1_000,
  protocol: 6_000,
  limit: 6_000,
};
/** Refusals that concern one key and say nothing of its neighbours behind the same address. */
const keyRefusals: readonly ErrorCode[] = ["unauthorized", "name", "version"];
/** Penalty of the address for a key's first refusal, and for one while the key is kept out. */
const newKeyCostMs = 1_000;
const heldKeyCostMs = 200;

/** Decides which clients' connections are worth a handshake, and how many links one may have. */
export class ClientGate {
  readonly #options: ClientGateOptions;
  readonly #sources: Penalties;
  /** Penalties by source and fingerprint. */
  readonly #keys: Penalties;
  readonly #lastAdmitted = new LruCache<number>(maxRemembered);
  readonly #refusals: Rates;
  readonly #tests: Rates;
  readonly #bySource = new Counter();
  readonly #byClient = new Counter();
  #pending = 0;
  #admitted = 0;

  constructor(options: ClientGateOptions) {
    const { clock, limits } = options;
    this.#options = options;
    this.#sources = new Penalties(clock, () => limits().maxPenaltyMs);
    this.#keys = new Penalties(clock, () => limits().maxPenaltyMs);
    this.#refusals = new Rates(clock, () => (limits().maxPenaltyMs === 0 ? 0 : refusalsPerSecond));
    this.#tests = new Rates(clock, () => testsPerSecond);
  }

  /** Connections that are not admitted yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether one more may come from there now; asked once for each connection. */
  admits(address: string | undefined): boolean {
    const { limits, onLimit, random = Math.random } = this.#options;
    const source = sourceOf(address);
    const obstacle: LimitName | undefined =
      this.#sources.isKeptOut(source) || !this.#refusals.has(source)
        ? "penalty"
        : random() < dropChance(this.#pending, limits().pendingClients)
          ? "pending-clients"
          : undefined;
    if (obstacle) onLimit(obstacle, showSource(source));
    return obstacle === undefined;
  }

  /** A new connection that was let in. */
  enter(address: string | undefined): PendingClient {
    this.#pending += 1;
    return this.#pendingClient(sourceOf(address));
  }

  /** Addresses and networks that are kept out now, at most 100, the longest first. */
  held(): readonly Held[] {
    return this.#sources.held(maxHeldShown).map((held) => ({ ...held, source: showSource(held.source) }));
  }

  /** Lets an address in again, with all its keys. Returns whether it was kept out. */
  unblock(address: string): boolean {
    const source = sourceOf(address);
    this.#keys.forgiveAll((key) => key.startsWith(`${source} `));
    return this.#sources.forgive(source);
  }

  /** Keys that were refused may try again: what admits them has changed. */
  forgetRefusals(): void {
    this.#keys.forgiveAll(() => true);
  }

  #pendingClient(source: string): PendingClient {
    let client: string | undefined;
    const others = new Set<string>();
    let key: string | undefined;
    let isFree = false;
    let isOver = false;
    return {
      identify: (fingerprint) => {
        key = `${source} ${fingerprint}`;
        const leftMs = this.#keys.leftMs(key);
        if (leftMs === 0) return;
        this.#charge(source, heldKeyCostMs, "unauthorized");
        throw new PortholeError("busy", "this relay has refused this key several times", {
          retryAfterMs: Math.ceil(leftMs),
        });
      },
      test: () => {
        isFree = this.#tests.take(source);
      },
      admit: (clientId) => {
        this.#checkRoom(source, clientId);
        client = clientId;
        this.#pending -= 1;
        this.#count(source, clientId);
        if (key !== undefined) this.#keys.forgive(key);
        this.#remember(source);
      },
      addKey: (clientId) => {
        if (clientId === client || others.has(clientId)) return;
        this.#checkRoom(source, clientId);
        others.add(clientId);
        this.#count(source, clientId);
      },
      dropKey: (clientId) => {
        if (others.delete(clientId)) this.#discount(source, clientId);
      },
      end: (error) => {
        if (isOver) return;
        isOver = true;
        // An admitted one is punished for what no honest client does, not for leaving; and nobody who was asked to come again.
        const isDoing = client === undefined || error.code === "limit" || error.code === "protocol";
        if (isDoing && !isFree && error.retryAfterMs === undefined) this.#punish(source, key, error.code);
        if (client === undefined) {
          this.#pending -= 1;
          return;
        }
        for (const each of [client, ...others]) this.#discount(source, each);
        this.#remember(source);
      },
    };
  }

  #count(source: string, clientId: string): void {
    this.#admitted += 1;
    this.#bySource.add(source);
    this.#byClient.add(clientId);
  }

  #discount(source: string, clientId: string): void {
    this.#admitted -= 1;
    this.#bySource.remove(source);
    this.#byClient.remove(clientId);
  }

  /** A refused key pays first; its address pays a little, once, and nothing where a client was admitted from. */
  #punish(source: string, key: string | undefined, code: ErrorCode): void {
    const cost = costMs[code];
    if (cost === undefined) return;
    if (key === undefined || !keyRefusals.includes(code)) return this.#charge(source, cost, code);
    const isNew = !this.#keys.has(key);
    this.#keys.add(key, cost, code);
    if (isNew) this.#charge(source, newKeyCostMs, code);
  }

  #charge(source: string, cost: number, code: ErrorCode): void {
    if (keyRefusals.includes(code) && this.#isClients(source)) {
      this.#refusals.take(source);
      return;
    }
    const held = this.#sources.add(source, cost, code);
    if (held) this.#options.onHeld?.({ ...held, source: showSource(source) });
  }

  /** Whether an admitted client comes from there, now or an hour ago. */
  #isClients(source: string): boolean {
    if (this.#bySource.of(source) > 0) return true;
    const at = this.#lastAdmitted.get(source);
    return at !== undefined && this.#options.clock.monotonic() - at < rememberedMs;
  }

  #remember(source: string): void {
    this.#lastAdmitted.set(source, this.#options.clock.monotonic());
  }

  #checkRoom(source: string, clientId: string): void {
    const { linksPerAddress, linksPerClient, maxLinks } = this.#options.limits();
    const room: readonly [LimitName, number, number, string][] = [
      ["links-per-client", linksPerClient, this.#byClient.of(clientId), "this client has"],
      ["links-per-address", linksPerAddress, this.#bySource.of(source), "your network has"],
      ["max-links", maxLinks, this.#admitted, "this relay has"],
    ];
    for (const [limit, max, present, who] of room) {
      if (max === 0 || present < max) continue;
      this.#options.onLimit(limit, showSource(source));
      throw new PortholeError("busy", `${who} ${present} links already, which is the limit`, { retryAfterMs });
    }
  }
}
