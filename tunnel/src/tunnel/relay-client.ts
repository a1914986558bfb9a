import { PortholeError, setting } from "@porthole/common/errors";
import type { Hello } from "@porthole/common/protocol";
import { AsyncQueue, Backoff, sleep } from "@porthole/common/util";
import type { RequestReport } from "../http/index.ts";
import { drain } from "./drain.ts";
import type { Endpoint } from "./endpoint.ts";
import { forward, type Visit, type VisitReport } from "./forwarder.ts";
import { ExternalKey } from "./external-key.ts";
import { delegationOf, tlsKey, type NameKey } from "./link-identity.ts";
import type { LinkPool } from "./link-pool.ts";
import { LinkSet, type LinkSetOptions } from "./link-set.ts";
import type { LinkUser } from "./link-users.ts";
import type { ArrivedVisitor } from "./read-visitor.ts";
import { isFinal } from "./run-loop.ts";
import type { Session } from "./session.ts";
import type { RelayStatus } from "./state.ts";
import { limits } from "./limits.ts";

export interface RelayClientOptions extends Omit<LinkSetOptions, "identity" | "hello"> {
  readonly endpoint: Endpoint;
  readonly suffix?: string | undefined;
  /** Wanted instead of the client id. */
  readonly name?: string | undefined;
  /** The key that the relay knows the user by, when it is not the endpoint's own. */
  readonly owner?: NameKey | undefined;
  /** Directory of the authority that certificates for this relay's names come from; undefined when none is asked, or the user has chosen it for all relays. */
  readonly certificateDirectory?: string | undefined;
  /** Links that it shares with other endpoints of this owner, where the relay can do that; its own ones if absent. */
  readonly sharedLinks?: LinkPool | undefined;
  /** Makes its own links; see LinkPool.own. */
  readonly ownLinks?: (options: LinkSetOptions) => LinkSet;
  readonly onStatus: (status: RelayStatus) => void;
  readonly onVisit: (report: VisitReport) => void;
  readonly onRequest: (report: RequestReport) => void;
}

/** One endpoint at one relay: its key is exposed over each of the links, its own ones or shared ones. */
export class RelayClient {
  readonly #options: RelayClientOptions;
  readonly #signal: AbortSignal;
  /** Aborts with the signal, or when the relay has refused us. */
  readonly #stop = new AbortController();
  readonly #user: LinkUser;
  readonly #visits = new Set<Visit>();
  readonly #over = new AsyncQueue<never>();
  readonly #backoff = new Backoff(limits.exposeRetry);
  /** Sessions that the key is being exposed over, with the first attempt's end. */
  readonly #exposing = new Map<Session, Promise<void>>();
  /** Names whose certificate is there. */
  readonly #ready = new Set<string>();
  #links: LinkSet;
  #isShared: boolean;
  /** Links that are not over. */
  #leaving: Promise<unknown> = Promise.resolve();
  #wasExposed = false;
  /** Why the relay does not expose the key for now. */
  #refusal: { readonly error: PortholeError; readonly delayMs: number } | undefined;
  #toldDirectory: string | undefined;
  #isDraining = false;
  #published = "";

  constructor(options: RelayClientOptions, signal: AbortSignal) {
    const { endpoint, owner, sharedLinks, suffix, name } = options;
    const { clientId } = endpoint.key;
    this.#options = options;
    this.#signal = signal;
    this.#user = {
      clientId,
      labels: name === undefined ? [clientId] : [clientId, name.toLowerCase()],
      isPlain: suffix === undefined && name === undefined && !endpoint.hasExtension,
      onLink: (session) => this.#expose(session),
      onChange: () => this.#onChange(),
      onVisitor: (visitor) => void this.#serve(visitor),
    };
    this.#isShared = sharedLinks !== undefined && owner !== undefined;
    this.#links = sharedLinks && owner ? sharedLinks.shared(owner, options) : this.#ownLinks();
  }

  /**
   * Runs until the signal aborts, or until the relay has refused us, and until every visit is over then, and every link that nobody else
   * uses. When the signal's reason is `draining`, visitors finish first. Never rejects: `onStatus` has the outcome.
   */
  async run(): Promise<void> {
    const stop = (): void => void this.#leave();
    this.#options.onStatus({ status: "connecting" });
    this.#links.join(this.#user);
    const { key } = this.#options.endpoint;
    const unwatch = key instanceof ExternalKey ? key.onRenewed(() => this.#renew()) : () => {};
    if (this.#signal.aborted) stop();
    this.#signal.addEventListener("abort", stop, { once: true });
    await this.#over.next();
    await this.#leaving;
    unwatch();
    this.#signal.removeEventListener("abort", stop);
    if (this.#signal.aborted) this.#options.onStatus({ status: "stopped" });
  }

  /** The links that are up. */
  sessions(): Session[] {
    return this.#links.sessions();
  }

  /** Asks for a quota over a link that the name leads to; undefined where there is none. See Session.requestIssuance. */
  issuerOf(hostname: string): Session | undefined {
    const { clientId } = this.#user;
    return this.sessions().find(({ names }) => names.of(clientId)?.hostnames.includes(hostname));
  }

  #ownLinks(): LinkSet {
    const { endpoint, owner, sharedLinks, suffix, name } = this.#options;
    const { ownLinks = (options: LinkSetOptions) => new LinkSet(options) } = this.#options;
    const { key, linkCertificate: certificate } = endpoint;
    const isExternal = key instanceof ExternalKey;
    // Links of a key of this machine that nobody visits: what they lead to is exposed over them.
    const wanted: Partial<Hello> = isExternal
      ? { bare: true }
      : { ...(suffix === undefined ? {} : { suffix }), ...(name === undefined ? {} : { name }) };
    // Where shared links were tried, the relay does not know the owner.
    const voucher = isExternal && sharedLinks ? key : owner;
    return ownLinks({
      ...this.#options,
      identity: { key: tlsKey(key), certificate },
      hello: async (_users, signal) => ({ ...wanted, ...(await delegationOf(voucher, key, signal)) }),
    });
  }

  async #leave(): Promise<void> {
    const { reason } = this.#signal;
    if (reason instanceof PortholeError && reason.code === "draining" && !this.#stop.signal.aborted) {
      this.#isDraining = true;
      const linksClosed = this.#links.retire(this.#user).then(() => this.#visitsOver());
      await drain({ clock: this.#options.clock, visits: this.#visits, linksClosed });
    }
    this.#end(reason);
  }

  #end(reason: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(reason);
    this.#leaveLinks(reason);
    void this.#visitsOver().then(() => this.#over.end());
  }

  #leaveLinks(reason: unknown): void {
    this.#leaving = Promise.all([this.#leaving, this.#links.leave(this.#user, reason)]);
  }

  async #visitsOver(): Promise<void> {
    while (this.#visits.size > 0) await Promise.all([...this.#visits].map((visit) => visit.done));
  }

  #fail(error: PortholeError): void {
    if (this.#isOver) return;
    this.#options.onStatus({ status: "failed", error });
    this.#end(error);
  }

  get #isOver(): boolean {
    return this.#stop.signal.aborted || this.#isDraining;
  }

  /** The relay does not know the owner, or takes one key for each link: this endpoint may have links of its own all the same. */
  #goOwnWay(): void {
    if (!this.#isShared || this.#isOver) return;
    this.#isShared = false;
    this.#leaveLinks(new PortholeError("aborted", "The endpoint has links of its own"));
    this.#refusal = undefined;
    this.#links = this.#ownLinks();
    this.#links.join(this.#user);
    this.#publish();
  }

  /** See LinkUser.onLink. */
  #expose(session: Session): Promise<void> {
    const present = this.#exposing.get(session);
    if (present || this.#isOver) return present ?? Promise.resolve();
    const exposing = this.#tryExpose(session).finally(() => this.#exposing.delete(session));
    this.#exposing.set(session, exposing);
    return exposing;
  }

  async #tryExpose(session: Session): Promise<void> {
    const { endpoint, suffix, name, server } = this.#options;
    const { key, linkCertificate: certificate } = endpoint;
    try {
      if (!session.names.of(key.clientId)) {
        if (!session.names.canExpose) return this.#goOwnWay();
        await session.names.expose({ key, certificate, suffix, name }, this.#stop.signal);
      }
      const { hostnames = [] } = session.names.of(key.clientId) ?? {};
      await endpoint.serveNames(server.text, hostnames);
      for (const hostname of hostnames) this.#ready.add(hostname);
      this.#wasExposed = true;
      this.#refusal = undefined;
      this.#backoff.reset();
      this.#compareDirectory(session.welcome.certificateDirectory);
    } catch (reason) {
      this.#onRefused(session, PortholeError.from(reason));
    }
    this.#publish();
  }

  /** Each link's relay learns of the key's new grant before the present one ends. */
  #renew(): void {
    const { endpoint, suffix, name } = this.#options;
    const { key, linkCertificate: certificate } = endpoint;
    for (const { names } of this.sessions()) {
      if (!names.of(key.clientId)) continue;
      // A refusal comes by takeRefusal, and a link that ends needs none.
      names.expose({ key, certificate, suffix, name }, this.#stop.signal).catch(() => {});
    }
  }

  #onRefused(session: Session, error: PortholeError): void {
    if (this.#isOver || !this.#isUp(session)) return;
    if (error.code === "limit") return this.#goOwnWay();
    if (isFinal(error, this.#wasExposed)) return this.#fail(error);
    const delayMs = Math.max(this.#backoff.next(), error.retryAfterMs ?? 0);
    this.#refusal = { error, delayMs };
    void sleep(this.#options.clock, delayMs, this.#stop.signal).then(
      () => (this.#isUp(session) ? this.#expose(session) : undefined),
      () => {},
    );
  }

  #isUp(session: Session): boolean {
    return this.#links.sessions().includes(session);
  }

  #onChange(): void {
    if (this.#isOver) return;
    const { error } = this.#links;
    // The relay may know the endpoint's key, where it does not know the owner's.
    const isOwnersWord = error?.code === "unauthorized" && this.#options.owner?.clientId !== this.#user.clientId;
    if (isOwnersWord && this.#isShared) return this.#goOwnWay();
    if (error) return this.#fail(error);
    for (const session of this.sessions()) {
      const refusal = session.names.takeRefusal(this.#user.clientId);
      if (refusal) this.#onRefused(session, refusal);
    }
    this.#publish();
  }

  async #serve({ stream, link, header, startedAt }: ArrivedVisitor): Promise<void> {
    const { endpoint, clock, log, onVisit, onRequest } = this.#options;
    // The first visitor may be quicker than the relay's word.
    if (this.#exposing.size > 0 && !this.#ready.has(header.authority ?? "")) await Promise.all(this.#exposing.values());
    const { signal } = this.#stop;
    const visit = forward({ stream, link, header, startedAt }, { endpoint, clock, log, signal, onVisit, onRequest });
    this.#visits.add(visit);
    void visit.done.then(() => this.#visits.delete(visit));
  }

  /** A relay must not lead us to any address: its user has to agree to another authority, by an invite or a setting. */
  #compareDirectory(directory: string | undefined): void {
    const { certificateDirectory: ours, server, log } = this.#options;
    if (directory === undefined || ours === undefined || directory === ours || directory === this.#toldDirectory)
      return;
    this.#toldDirectory = directory;
    log.warn(
      { hint: `If you trust it, set ${setting("acme-directory")} to ${directory}, or join the relay by a new invite.` },
      `${server.text} recommends another certificate authority than ${ours}`,
    );
  }

  #publish(): void {
    if (this.#isOver) return;
    const status = this.#status();
    // Links report more often than the whole changes.
    const text = JSON.stringify(status, (key, value: unknown) => (key === "rttMs" ? undefined : value));
    if (text === this.#published) return;
    this.#published = text;
    this.#options.onStatus(status);
  }

  #status(): RelayStatus {
    const status = this.#links.status(({ names }) => {
      const name = names.of(this.#user.clientId);
      return name?.hostnames.every((hostname) => this.#ready.has(hostname)) ? name : undefined;
    });
    return status.status === "connecting" && this.#refusal ? { status: "waiting", ...this.#refusal } : status;
  }
}
