import { PortholeError } from "@porthole/common/errors";
import type { Link, LinkStream } from "@porthole/common/link";
import type { Hello } from "@porthole/common/protocol";
import type { Timer } from "@porthole/common/util";
import { LinkSlot, isServing } from "./link-slot.ts";
import { LinkUsers, type LinkUser } from "./link-users.ts";
import { linkSetStatus } from "./link-set-status.ts";
import { quicPauses, reconnectPauses } from "./pauses.ts";
import { readVisitor } from "./read-visitor.ts";
import { RelayDialer, type RelayDialerOptions } from "./relay-dialer.ts";
import type { Session } from "./session.ts";
import type { ExposedName } from "./session-names.ts";
import { endAtSuccessor } from "./successor.ts";
import type { RelayStatus } from "./state.ts";
import { TransportChoice, type Decision, type QuicFact, type TransportPolicy } from "./transport-choice.ts";
import { limits } from "./limits.ts";

export interface LinkSetOptions extends Omit<RelayDialerOptions, "hello"> {
  readonly transport: TransportPolicy;
  readonly poolSize: number;
  /** What hello asks for, by the users that there are at present. */
  readonly hello: (users: readonly LinkUser[], signal: AbortSignal) => Promise<Partial<Hello>>;
}

/**
 * Links with one relay that are known by one key: as many and of the kinds that the transport choice wants, each kept up by its slot.
 * Where a link has to go, its place is filled first. The first user starts them, and they end with the last one.
 */
export class LinkSet {
  /** Resolves when every link is over. Never rejects. */
  readonly over: Promise<void>;
  readonly #options: LinkSetOptions;
  readonly #dialer: RelayDialer;
  /** Aborts when the last user has left, or when the relay has refused us. */
  readonly #stop = new AbortController();
  /** What the choice counts: also a slot that has failed, so that it is not started again. */
  readonly #slots = new Set<LinkSlot>();
  /** Those that are not over. */
  readonly #running = new Set<LinkSlot>();
  readonly #users = new LinkUsers();
  /** The link that each slot was last seen to be up with. */
  readonly #lastUp = new WeakMap<LinkSlot, Link | undefined>();
  readonly #choice: TransportChoice;
  #decision: Decision;
  #review: Timer | undefined;
  #inspection: Timer | undefined;
  #isStarted = false;
  #wasAdmitted = false;
  #quicWasUp = false;
  #error: PortholeError | undefined;
  /** Looks for the successor of a relay that is silent over QUIC. */
  #search: Promise<void> | undefined;
  /** Visitors finish, and nothing new begins. */
  #isDraining = false;
  #onOver: () => void = () => {};

  constructor(options: LinkSetOptions) {
    this.#options = options;
    this.#dialer = new RelayDialer(
      { ...options, hello: (signal) => options.hello(this.#users.active, signal) },
      {
        onStream: (stream, link) => void this.#accept(stream, link),
        onQuicOffer: () => this.#retryQuic({ offered: true }),
        onNames: () => this.#users.notify(),
      },
    );
    const { transport: policy, poolSize, server, clock } = options;
    this.#choice = new TransportChoice({ policy, poolSize, server: server.text }, clock.monotonic());
    this.#decision = this.#choice.see(this.#quicFact(), clock.monotonic());
    this.over = new Promise((resolve) => (this.#onOver = resolve));
  }

  /** Why the relay does not take us, once it has said so. */
  get error(): PortholeError | undefined {
    return this.#error;
  }

  /** False once the links end. */
  get isOpen(): boolean {
    return !this.#isDraining && !this.#stop.signal.aborted;
  }

  join(user: LinkUser): void {
    this.#users.add(user);
    if (!this.#isStarted) {
      this.#isStarted = true;
      this.#arrange();
      this.#inspect();
    }
    for (const session of this.sessions()) void user.onLink(session);
  }

  /** No new visitors for this user. Resolves when none come any more; the last user's links are closed then. Never rejects. */
  async retire(user: LinkUser): Promise<void> {
    this.#users.retire(user);
    if (this.#users.active.length > 0) return this.#unexpose(user.clientId);
    this.#isDraining = true;
    for (const slot of this.#slots) slot.retire("The client stops");
    await Promise.all([...this.#running].map((slot) => slot.done));
  }

  /** The user is gone, and gets no visitors any more when this resolves. With the last one the links end for this reason. Never rejects. */
  async leave(user: LinkUser, reason: unknown): Promise<void> {
    const isExposed = this.#users.remove(user);
    if (!this.#users.isEmpty) {
      if (isExposed) await this.#unexpose(user.clientId);
      return;
    }
    this.#stop.abort(reason);
    this.#endWhenEmpty();
    await this.over;
  }

  /** This machine is in another network, or was asleep: nothing that was learnt about the way to the relay holds any more. */
  recheck(): void {
    if (!this.isOpen) return;
    this.#choice.forget(this.#options.clock.monotonic());
    this.#dialer.recheck();
    // Each says what becomes of it.
    for (const slot of this.#slots) slot.recheck();
  }

  /** The links that are up. */
  sessions(): Session[] {
    return [...this.#slots].flatMap(({ state }) => (state.status === "online" ? [state.session] : []));
  }

  /** How one user stands, by the name that it has on a link; undefined where visitors can't come to it. */
  status(nameOn: (session: Session) => ExposedName | undefined): RelayStatus {
    if (this.#error) return { status: "failed", error: this.#error };
    const first = this.#active("http2")[0] ?? this.#active("quic")[0];
    return linkSetStatus({ slots: this.#slots, first, decision: this.#decision }, nameOn);
  }

  /** Starts and retires slots until what is there is what is wanted. */
  #arrange(): void {
    if (this.#stop.signal.aborted) return this.#endWhenEmpty();
    if (this.#isDraining) return;
    const { clock } = this.#options;
    this.#decision = this.#choice.see(this.#quicFact(), clock.monotonic());
    const { links, reviewInMs } = this.#decision;
    if (links.quic && this.#active("quic").length === 0) this.#start("quic");
    const http2 = this.#active("http2");
    for (let i = http2.length; i < links.http2; i++) this.#start("http2");
    // Those that work stay.
    const surplus = [...http2.filter(isServing), ...http2.filter((slot) => !isServing(slot))].slice(links.http2);
    for (const slot of surplus) slot.retire("QUIC carries the traffic");
    this.#review?.cancel();
    this.#review =
      reviewInMs === undefined
        ? undefined
        : clock.timer(reviewInMs, () => {
            this.#arrange();
            this.#users.notify();
          });
  }

  #quicFact(): QuicFact {
    const { dialers, transport: policy } = this.#options;
    if (!dialers.quic.available) return { is: "unavailable", reason: dialers.quic.reason };
    const quic = [...this.#slots].filter(({ transport, phase }) => transport === "quic" && phase !== "retired");
    if (quic.some(isServing)) return { is: "up" };
    if (policy === "auto" && !this.#active("http2").some(isServing)) return { is: "beginning" };
    if (quic.some(({ link }) => link)) return { is: "silent" };
    const state = quic.find(({ phase }) => phase === "kept")?.state;
    if (state?.status === "waiting") return { is: "waiting", error: state.error, nextTryAt: state.nextTryAt };
    if (state?.status === "failed") return { is: "unavailable", reason: state.error.message };
    return { is: this.#active("http2").some(isServing) ? "dialing" : "beginning" };
  }

  /** Those that count: a slot that is leaving has, or shall have, a successor. */
  #active(transport: "quic" | "http2"): LinkSlot[] {
    return [...this.#slots].filter((slot) => slot.transport === transport && slot.phase === "kept");
  }

  /** A link is replaced before its engine's own limits are met. */
  #inspect(): void {
    for (const slot of this.#slots) if ((slot.link?.exhaustion() ?? 0) >= 1) slot.leave();
    this.#inspection = this.#options.clock.timer(limits.linkInspectionMs, () => this.#inspect());
  }

  #start(transport: "quic" | "http2"): void {
    const { clock, transport: policy } = this.#options;
    const beside = transport === "quic" && policy === "auto";
    const slot = new LinkSlot(
      {
        transport,
        clock,
        backoff: beside ? quicPauses(this.#quicWasUp) : reconnectPauses(this.#wasAdmitted),
        // A relay that has admitted one of our links is retried until it refuses us.
        persistent: () => beside || this.#wasAdmitted,
        // One link is enough to be back; the others follow in their own pace.
        isAwaited: (waiting) => !beside && this.#wasAdmitted && this.#active(transport)[0] === waiting,
        connect: (signal) => (transport === "quic" ? this.#connectQuic(signal) : this.#dialer.http2(signal)),
        // The first change comes from within the constructor.
        onChange: (changed) => queueMicrotask(() => this.#onSlotChange(changed)),
      },
      this.#stop.signal,
    );
    this.#slots.add(slot);
    this.#running.add(slot);
    void slot.done.then(() => {
      this.#running.delete(slot);
      if (slot.state.status !== "failed" || slot.phase === "retired") this.#slots.delete(slot);
      // What a relay that stops has refused in the meantime, its successor may grant.
      if (slot.phase !== "kept") for (const successor of this.#active(slot.transport)) successor.wake();
      this.#endWhenEmpty();
    });
  }

  async #connectQuic(signal: AbortSignal): Promise<Session> {
    const { transport: policy, dialers } = this.#options;
    // Otherwise an HTTP/2 link is dialled anyway, and brings what QUIC needs.
    if (policy === "quic") await this.#dialer.prepareQuic(signal);
    else if (dialers.quic.available) dialers.quic.assertRested?.();
    return this.#dialer.quic(signal);
  }

  async #accept(stream: LinkStream, link: Link): Promise<void> {
    const { clock, log } = this.#options;
    try {
      const visitor = await readVisitor(stream, link, { clock, signal: this.#stop.signal });
      const user = this.#users.of(visitor.header.authority);
      if (!user) throw new PortholeError("name", "Nobody here has the visitor's name");
      user.onVisitor(visitor);
    } catch (reason) {
      const error = PortholeError.from(reason);
      log.debug({ code: error.code }, error.message);
      stream.destroy(error);
    }
  }

  #onSlotChange(slot: LinkSlot): void {
    if (!this.isOpen) return;
    const { state } = slot;
    if (state.status === "online" && slot.link !== this.#lastUp.get(slot)) {
      this.#lastUp.set(slot, slot.link);
      void this.#onUp(slot, state.session);
    }
    if (state.status === "failed" && (slot.transport === "http2" || this.#options.transport === "quic")) {
      this.#error = state.error;
      this.#stop.abort(state.error);
      this.#users.notify();
      this.#endWhenEmpty();
      return;
    }
    if (slot.transport === "quic" && slot.link?.isSilent) this.#lookForSuccessor(slot);
    this.#arrange();
    this.#users.notify();
  }

  /** With an HTTP/2 link beside, that one's end says it. */
  #lookForSuccessor({ state }: LinkSlot): void {
    if (this.#options.transport !== "quic" || this.#search || state.status !== "online") return;
    const search = { clock: this.#options.clock, look: (signal: AbortSignal) => this.#dialer.look(signal) };
    this.#search = endAtSuccessor(state.session, search, this.#stop.signal).then(() => {
      this.#search = undefined;
    });
  }

  async #onUp(slot: LinkSlot, session: Session): Promise<void> {
    this.#wasAdmitted = true;
    if (slot.transport === "quic") this.#quicWasUp = true;
    const { clientId } = this.#options.identity.key;
    // Its user may have left since the link was asked for.
    if (!this.#users.active.some((user) => user.clientId === clientId) && session.names.of(clientId))
      void session.names.unexpose(clientId, this.#stop.signal).catch(() => {});
    const exposed = this.#users.onLink(session);
    if (slot.phase !== "kept") return;
    const isFirst = !this.#active("http2").some((other) => other !== slot && isServing(other));
    if (slot.transport === "http2" && isFirst) this.#retryQuic({ offered: false });
    await exposed;
    if (slot.phase !== "kept" || slot.link !== session.link) return;
    for (const other of this.#slots)
      if (other.phase === "leaving" && other.transport === slot.transport)
        other.retire("Another link has taken its place");
  }

  /** The relay is back, or offers QUIC: what is known about it is old. */
  #retryQuic({ offered }: { readonly offered: boolean }): void {
    for (const quic of this.#active("quic")) {
      if (quic.link) quic.recheck();
      else if (offered) quic.wakeOrRetry();
      else quic.wake();
    }
  }

  /** Resolves when the relay leads nobody there any more, as far as it answers. */
  async #unexpose(clientId: string): Promise<void> {
    const { signal } = this.#stop;
    await Promise.all(this.sessions().map(({ names }) => names.unexpose(clientId, signal).catch(() => {})));
  }

  #endWhenEmpty(): void {
    if (!this.#stop.signal.aborted || this.#running.size > 0) return;
    this.#review?.cancel();
    this.#inspection?.cancel();
    void Promise.resolve(this.#search).then(this.#onOver);
  }
}
