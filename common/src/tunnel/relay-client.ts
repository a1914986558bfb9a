import type { PortholeError } from "../errors.ts";
import type { RequestReport } from "../gateway/index.ts";
import type { Link, LinkStream } from "../link/index.ts";
import { limits } from "../protocol/protocol.ts";
import { AsyncQueue, type Timer } from "../util/index.ts";
import { forward, type VisitReport } from "./forwarder.ts";
import { LinkSlot } from "./link-slot.ts";
import { RelayDialer, type RelayDialerOptions } from "./relay-dialer.ts";
import type { Session } from "./session.ts";
import { publicUrl, type RelayStatus } from "./state.ts";
import { wantedLinks, type TransportPolicy } from "./transport-choice.ts";

export interface RelayClientOptions extends RelayDialerOptions {
  readonly transport: TransportPolicy;
  readonly poolSize: number;
  readonly onStatus: (status: RelayStatus) => void;
  readonly onVisit: (report: VisitReport) => void;
  readonly onRequest: (report: RequestReport) => void;
}

/** One endpoint's links with one relay: as many and of the kinds that the transport choice wants, each kept up by its slot. */
export class RelayClient {
  readonly #options: RelayClientOptions;
  readonly #signal: AbortSignal;
  readonly #dialer: RelayDialer;
  /** Aborts with the signal, or when the relay has refused us. */
  readonly #stop = new AbortController();
  /** What the choice counts: also a slot that has given up, so that it is not started again. */
  readonly #slots = new Set<LinkSlot>();
  /** Slots and visits that are not over. */
  readonly #running = new Set<unknown>();
  readonly #over = new AsyncQueue<never>();
  #headStart: Timer | undefined;
  #headStartOver = false;
  #wasAdmitted = false;
  #published = "";
  /** Survives the next attempt, so that the reason shown does not flicker. */
  #quicError: PortholeError | undefined;

  constructor(options: RelayClientOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#dialer = new RelayDialer(options, (stream, link) => this.#forward(stream, link));
  }

  /**
   * Runs until the signal aborts, or until the relay has refused us, and until every link and visit is over then. Never
   * rejects: `onStatus` has the outcome.
   */
  async run(): Promise<void> {
    const stop = (): void => this.#stop.abort(this.#signal.reason);
    if (this.#signal.aborted) stop();
    this.#signal.addEventListener("abort", stop, { once: true });
    this.#options.onStatus({ status: "connecting" });
    this.#headStart = this.#options.clock.timer(limits.quicHeadStartMs, () => {
      this.#headStartOver = true;
      this.#arrange();
    });
    this.#arrange();
    await this.#over.next();
    this.#headStart.cancel();
    this.#signal.removeEventListener("abort", stop);
  }

  /** The links that are up. */
  sessions(): Session[] {
    return [...this.#slots].flatMap(({ state }) => (state.status === "online" ? [state.session] : []));
  }

  /** Starts and retires slots until what is there is what is wanted. */
  #arrange(): void {
    if (this.#stop.signal.aborted) return this.#endWhenEmpty();
    const { transport: policy, poolSize, dialers } = this.#options;
    const quicSlot = this.#active("quic")[0];
    const quicGivenUp = quicSlot?.state.status === "failed";
    const wanted = wantedLinks({
      policy,
      poolSize,
      quic: !dialers.quic.available || quicGivenUp ? "unavailable" : isOnline(quicSlot) ? "up" : "trying",
      headStartOver: this.#headStartOver,
    });
    if (wanted.quic && !quicSlot) this.#start("quic");
    const http2 = this.#active("http2");
    for (let i = http2.length; i < wanted.http2; i++) this.#start("http2");
    for (const slot of http2.slice(wanted.http2)) slot.retire("QUIC carries the traffic");
  }

  #active(transport: "quic" | "http2"): LinkSlot[] {
    return [...this.#slots].filter((slot) => slot.transport === transport && !slot.retired);
  }

  #start(transport: "quic" | "http2"): void {
    const { clock, transport: policy } = this.#options;
    const beside = transport === "quic" && policy === "auto";
    const slot = new LinkSlot(
      {
        transport,
        clock,
        backoff: beside ? limits.quicRetry : limits.reconnect,
        // What has admitted one of our links is given up only when it refuses us.
        persistent: () => beside || this.#wasAdmitted,
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
      if (slot.state.status !== "failed" || slot.retired) this.#slots.delete(slot);
      this.#endWhenEmpty();
    });
  }

  async #connectQuic(signal: AbortSignal): Promise<Session> {
    // Otherwise an HTTP/2 link is dialled anyway, and sees it.
    if (this.#options.transport === "quic") await this.#dialer.seeCertificate(signal);
    return this.#dialer.quic(signal);
  }

  #forward(stream: LinkStream, link: Link): void {
    const { endpoint, clock, log, onVisit, onRequest } = this.#options;
    const visit = forward(stream, link, { endpoint, clock, log, signal: this.#stop.signal, onVisit, onRequest });
    this.#running.add(visit);
    void visit.then(() => {
      this.#running.delete(visit);
      this.#endWhenEmpty();
    });
  }

  #onSlotChange(slot: LinkSlot): void {
    if (this.#stop.signal.aborted) return;
    const { state } = slot;
    if (state.status === "online") {
      this.#wasAdmitted = true;
      // The relay is back: what QUIC knows about it is old.
      if (slot.transport === "http2") for (const quic of this.#active("quic")) quic.wake();
    }
    if (slot.transport === "quic" && (state.status === "waiting" || state.status === "failed"))
      this.#quicError = state.error;
    if (state.status === "failed" && (slot.transport === "http2" || this.#options.transport === "quic")) {
      this.#fail(state.error);
      return;
    }
    this.#arrange();
    this.#publish();
  }

  #fail(error: PortholeError): void {
    this.#options.onStatus({ status: "failed", error });
    this.#stop.abort(error);
    this.#endWhenEmpty();
  }

  #endWhenEmpty(): void {
    if (!this.#stop.signal.aborted || this.#running.size > 0) return;
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
    const online = [...this.#slots].filter(isOnline);
    const best = online.find((slot) => slot.transport === "quic") ?? online[0];
    if (best?.state.status === "online") {
      const { link, welcome } = best.state.session;
      const whyNotQuic = best.transport === "quic" ? undefined : this.#whyNotQuic();
      const rttMs = link.rttMs();
      return {
        status: "online",
        transport: link.kind,
        links: online.length,
        hostnames: welcome.hostnames,
        urls: welcome.hostnames.map((name) => publicUrl(name, welcome.publicPort)),
        ...(whyNotQuic === undefined ? {} : { whyNotQuic }),
        ...(rttMs === undefined ? {} : { rttMs }),
      };
    }
    // HTTP/2 is there as long as the relay is; what QUIC is doing meanwhile is nobody's news.
    const state = (this.#active("http2")[0] ?? this.#active("quic")[0])?.state;
    if (state?.status !== "waiting") return { status: "connecting" };
    return { status: "waiting", delayMs: state.delayMs, error: state.error };
  }

  #whyNotQuic(): string | undefined {
    const { transport, dialers } = this.#options;
    if (transport === "h2") return undefined;
    if (!dialers.quic.available) return `QUIC is unavailable: ${dialers.quic.reason}`;
    if (!this.#quicError) return "QUIC is being tried";
    const { message } = this.#quicError;
    return message.startsWith("QUIC") ? message : `QUIC: ${message}`;
  }
}

function isOnline(slot: LinkSlot | undefined): boolean {
  return slot?.state.status === "online";
}
