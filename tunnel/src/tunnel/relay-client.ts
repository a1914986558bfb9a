import { PortholeError } from "@porthole/common/errors";
import type { RequestReport } from "../http/index.ts";
import type { Link, LinkStream } from "@porthole/common/link";
import { AsyncQueue, type Timer } from "@porthole/common/util";
import { drain } from "./drain.ts";
import { forward, type Visit, type VisitReport } from "./forwarder.ts";
import { LinkSlot } from "./link-slot.ts";
import { RelayDialer, type RelayDialerOptions } from "./relay-dialer.ts";
import type { Session } from "./session.ts";
import { quicPauses, reconnectPauses } from "./pauses.ts";
import { endAtSuccessor } from "./successor.ts";
import { onlineStatus, type RelayStatus } from "./state.ts";
import { TransportChoice, type Decision, type QuicFact, type TransportPolicy } from "./transport-choice.ts";
import { limits } from "./limits.ts";

export interface RelayClientOptions extends RelayDialerOptions {
  readonly transport: TransportPolicy;
  readonly poolSize: number;
  readonly onStatus: (status: RelayStatus) => void;
  readonly onVisit: (report: VisitReport) => void;
  readonly onRequest: (report: RequestReport) => void;
}

/**
 * One endpoint's links with one relay: as many and of the kinds that the transport choice wants, each kept up by its slot.
 * Where a link has to go, its place is filled first.
 */
export class RelayClient {
  readonly #options: RelayClientOptions;
  readonly #signal: AbortSignal;
  readonly #dialer: RelayDialer;
  /** Aborts with the signal, or when the relay has refused us. */
  readonly #stop = new AbortController();
  /** What the choice counts: also a slot that has failed, so that it is not started again. */
  readonly #slots = new Set<LinkSlot>();
  /** Those that are not over. */
  readonly #running = new Set<LinkSlot>();
  readonly #visits = new Set<Visit>();
  readonly #over = new AsyncQueue<never>();
  /** The link that each slot was last seen to be up with. */
  readonly #lastUp = new WeakMap<LinkSlot, Link | undefined>();
  readonly #choice: TransportChoice;
  #decision: Decision;
  #review: Timer | undefined;
  #inspection: Timer | undefined;
  #wasAdmitted = false;
  #quicWasUp = false;
  #published = "";
  /** Looks for the successor of a relay that is silent over QUIC. */
  #search: Promise<void> | undefined;
  /** Visitors finish, and nothing new begins. */
  #isDraining = false;

  constructor(options: RelayClientOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#dialer = new RelayDialer(options, {
      onStream: (stream, link) => this.#forward(stream, link),
      onQuicOffer: () => this.#retryQuic({ offered: true }),
      onInstances: () => this.#publish(),
    });
    const { transport: policy, poolSize, server, clock } = options;
    this.#choice = new TransportChoice({ policy, poolSize, server: server.text }, clock.monotonic());
    this.#decision = this.#choice.see(this.#quicFact(), clock.monotonic());
  }

  /**
   * Runs until the signal aborts, or until the relay has refused us, and until every link and visit is over then. When the signal's reason
   * is `draining`, visitors finish first. Never rejects: `onStatus` has the outcome.
   */
  async run(): Promise<void> {
    const stop = (): void => void this.#leave();
    if (this.#signal.aborted) stop();
    this.#signal.addEventListener("abort", stop, { once: true });
    this.#options.onStatus({ status: "connecting" });
    this.#arrange();
    this.#inspect();
    await this.#over.next();
    await this.#search;
    this.#review?.cancel();
    this.#inspection?.cancel();
    this.#signal.removeEventListener("abort", stop);
  }

  async #leave(): Promise<void> {
    const { reason } = this.#signal;
    if (reason instanceof PortholeError && reason.code === "draining" && !this.#stop.signal.aborted) {
      this.#isDraining = true;
      for (const slot of this.#slots) slot.retire("The client stops");
      const linksClosed = Promise.all([...this.#running].map((slot) => slot.done));
      await drain({ clock: this.#options.clock, visits: this.#visits, linksClosed });
    }
    this.#stop.abort(reason);
    this.#endWhenEmpty();
  }

  /** This machine is in another network, or was asleep: nothing that was learnt about the way to the relay holds any more. */
  recheck(): void {
    if (this.#stop.signal.aborted || this.#isDraining) return;
    this.#choice.forget(this.#options.clock.monotonic());
    this.#dialer.recheck();
    // Each says what becomes of it.
    for (const slot of this.#slots) slot.recheck();
  }

  /** The links that are up. */
  sessions(): Session[] {
    return [...this.#slots].flatMap(({ state }) => (state.status === "online" ? [state.session] : []));
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
            this.#publish();
          });
  }

  #quicFact(): QuicFact {
    const { dialers } = this.#options;
    if (!dialers.quic.available) return { is: "unavailable", reason: dialers.quic.reason };
    const quic = [...this.#slots].filter(({ transport, phase }) => transport === "quic" && phase !== "retired");
    if (quic.some(isServing)) return { is: "up" };
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
    // Otherwise an HTTP/2 link is dialled anyway, and brings what QUIC needs.
    if (this.#options.transport === "quic") await this.#dialer.prepareQuic(signal);
    return this.#dialer.quic(signal);
  }

  #forward(stream: LinkStream, link: Link): void {
    const { endpoint, clock, log, onVisit, onRequest } = this.#options;
    const visit = forward(stream, link, { endpoint, clock, log, signal: this.#stop.signal, onVisit, onRequest });
    this.#visits.add(visit);
    void visit.done.then(() => {
      this.#visits.delete(visit);
      this.#endWhenEmpty();
    });
  }

  #onSlotChange(slot: LinkSlot): void {
    if (this.#stop.signal.aborted || this.#isDraining) return;
    const { state } = slot;
    if (state.status === "online" && slot.link !== this.#lastUp.get(slot)) {
      this.#lastUp.set(slot, slot.link);
      this.#onUp(slot);
    }
    if (state.status === "failed" && (slot.transport === "http2" || this.#options.transport === "quic")) {
      this.#fail(state.error);
      return;
    }
    if (slot.transport === "quic" && slot.link?.isSilent) this.#lookForSuccessor(slot);
    this.#arrange();
    this.#publish();
  }

  /** With an HTTP/2 link beside, that one's end says it. */
  #lookForSuccessor({ state }: LinkSlot): void {
    if (this.#options.transport !== "quic" || this.#search || state.status !== "online") return;
    const search = { clock: this.#options.clock, look: (signal: AbortSignal) => this.#dialer.look(signal) };
    this.#search = endAtSuccessor(state.session, search, this.#stop.signal).then(() => {
      this.#search = undefined;
    });
  }

  #onUp(slot: LinkSlot): void {
    this.#wasAdmitted = true;
    if (slot.transport === "quic") this.#quicWasUp = true;
    if (slot.phase !== "kept") return;
    for (const other of this.#slots)
      if (other.phase === "leaving" && other.transport === slot.transport)
        other.retire("Another link has taken its place");
    if (slot.transport !== "http2" || this.#active("http2").some((other) => other !== slot && isServing(other))) return;
    this.#retryQuic({ offered: false });
  }

  /** The relay is back, or offers QUIC: what is known about it is old. */
  #retryQuic({ offered }: { readonly offered: boolean }): void {
    for (const quic of this.#active("quic")) {
      if (quic.link) quic.recheck();
      else if (offered) quic.wakeOrRetry();
      else quic.wake();
    }
  }

  #fail(error: PortholeError): void {
    this.#options.onStatus({ status: "failed", error });
    this.#stop.abort(error);
    this.#endWhenEmpty();
  }

  #endWhenEmpty(): void {
    if (!this.#stop.signal.aborted || this.#running.size + this.#visits.size > 0) return;
    if (this.#signal.aborted) this.#options.onStatus({ status: "stopped" });
    this.#over.end();
  }

  #publish(): void {
    const status = this.#status();
    // Slots report more often than the whole changes.
    const text = JSON.stringify(status, (key, value: unknown) => (key === "rttMs" ? undefined : value));
    if (text === this.#published) return;
    this.#published = text;
    this.#options.onStatus(status);
  }

  #status(): RelayStatus {
    const online = [...this.#slots].filter(({ link, phase }) => link && (phase === "kept" || !link.isSilent));
    const { connection, whyNotQuic } = this.#decision;
    const best = online.find((slot) => slot.transport === connection && isServing(slot)) ?? online[0];
    if (best?.state.status === "online") {
      const { clientId } = this.#options.endpoint.key;
      const otherProcesses = Math.max(...this.sessions().map(({ names }) => names.of(clientId)?.others ?? 0));
      return onlineStatus(best.state.session, { links: online.length, otherProcesses, whyNotQuic });
    }
    // HTTP/2 is there as long as the relay is; what QUIC is doing in the meantime is nobody's news.
    const state = (this.#active("http2")[0] ?? this.#active("quic")[0])?.state;
    // Attempts and pauses alternate several times a second then.
    if (state?.status === "connecting" && state.redialOf)
      return { status: "waiting", delayMs: limits.redial.maxMs, error: state.redialOf };
    if (state?.status !== "waiting") return { status: "connecting" };
    const { delayMs, error, attempts } = state;
    return {
      status: "waiting",
      delayMs,
      error,
      ...(attempts >= limits.attemptsBeforeDoctor ? { hint: "doctor" } : {}),
    };
  }
}

/** Up, and not silent. */
function isServing({ link }: LinkSlot): boolean {
  return link !== undefined && !link.isSilent;
}
