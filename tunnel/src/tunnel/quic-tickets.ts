import { PortholeError } from "@porthole/common/errors";
import type { QuicTicket } from "@porthole/common/protocol";
import { orAbort, type Clock, type Timer } from "@porthole/common/util";
import type { Session } from "./session.ts";

/** What a QUIC handshake with the relay begins with. */
export interface UsableTicket {
  /** The connection id to use: 20 bytes. */
  readonly id: Buffer;
  /** Where the relay was that gave it: its name may stand for several relays. */
  readonly address: string;
  /** The link that it came over has ended since: the relay may have been replaced, and know nothing of it. */
  readonly isLeftOver: boolean;
}

interface HeldTicket {
  readonly ticket: QuicTicket;
  readonly session: Session;
  readonly goodUntil: number;
  readonly isForAnywhere: boolean;
}

/** A ticket that is nearly over might be over when it arrives. */
const marginMs = 5_000;

/**
 * The tickets that one relay gives for QUIC: `welcome` brings one, others come on request. Only the newest is kept, and only in
 * memory: it is good for one handshake and for minutes. While a link is up it is renewed, for the moment when all are lost.
 */
export class QuicTickets {
  readonly #clock: Clock;
  readonly #sessions = new Set<Session>();
  readonly #onSession = new Set<() => void>();
  #held: HeldTicket | undefined;
  #isWanted = false;
  #renewal: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether one is at hand. `anywhere`: see `take`. */
  isReady(anywhere: boolean): boolean {
    if (!this.#held || this.#clock.now() >= this.#held.goodUntil) return false;
    return !anywhere || this.#held.isForAnywhere;
  }

  /** Until its link ends, or its relay is about to, the session is one that can be asked. */
  add(session: Session): void {
    this.#sessions.add(session);
    void session.link.closed.then(() => this.#remove(session));
    void session.drained.then(() => {
      this.#remove(session);
      // A relay that takes its place does not know its tickets.
      if (this.#held?.session.link.remote.address === session.link.remote.address) this.#held = undefined;
    });
    if (session.welcome.ticket) this.keep(session.welcome.ticket, session);
    for (const resolve of this.#onSession) resolve();
  }

  /** One that the relay has sent. */
  keep(ticket: QuicTicket, session: Session, isForAnywhere = false): void {
    this.#held = { ticket, session, goodUntil: this.#clock.now() + ticket.lifetimeMs - marginMs, isForAnywhere };
    this.#renewal?.cancel();
    if (this.#sessions.size > 0) this.#renewal = this.#clock.timer(ticket.lifetimeMs / 2, () => void this.#renew());
  }

  /** We may come from another address now, and what is at hand is bound to the one of before. */
  forget(): void {
    this.#held = undefined;
    this.#renewal?.cancel();
    void this.#renew();
  }

  /**
   * One for the next handshake, as soon as there is one: rejects with `unreachable` when the relay has no QUIC at present, or with
   * the signal's reason. `anywhere`: one that is good whatever address the relay sees our UDP come from.
   */
  async take(anywhere: boolean, signal: AbortSignal): Promise<UsableTicket> {
    this.#isWanted = true;
    for (;;) {
      if (this.isReady(anywhere)) return this.#takeHeld();
      await this.#seek(anywhere, signal);
    }
  }

  /** Ends with an answer, or when it is another one's to give: the session that was asked is over, or may never answer. */
  async #seek(anywhere: boolean, signal: AbortSignal): Promise<void> {
    let resolve = (): void => {};
    const another = new Promise<void>((done) => {
      resolve = done;
    });
    this.#onSession.add(resolve);
    const session = this.#bestSession();
    try {
      await (session ? Promise.race([another, this.fetch(session, anywhere, signal)]) : orAbort(signal, another));
    } catch (reason) {
      if (!session || signal.aborted || this.#sessions.has(session)) throw reason;
    } finally {
      this.#onSession.delete(resolve);
    }
  }

  /** Asks for one, and keeps it. Rejects with `unreachable` when the relay has no QUIC at present, or none of use. */
  async fetch(session: Session, anywhere: boolean, signal: AbortSignal): Promise<void> {
    const ticket = await askFor(session, anywhere, signal);
    if (!ticket) throw new PortholeError("unreachable", "The relay has no QUIC at present");
    this.keep(ticket, session, anywhere);
    // A second question gets the same ticket.
    if (!this.isReady(anywhere))
      throw new PortholeError("unreachable", "The relay's tickets for QUIC are over at once");
  }

  #remove(session: Session): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) this.#renewal?.cancel();
  }

  #takeHeld(): UsableTicket {
    const { ticket, session } = this.#held as HeldTicket;
    this.#held = undefined;
    this.#renewal?.cancel();
    const id = Buffer.from(ticket.quic, "hex");
    return { id, address: session.link.remote.address, isLeftOver: !this.#sessions.has(session) };
  }

  async #renew(): Promise<void> {
    const session = this.#bestSession();
    if (!session || !this.#isWanted) return;
    try {
      await this.fetch(session, false, new AbortController().signal);
    } catch {
      // Its link has ended, or hangs; the next one brings a ticket.
    }
  }

  /**
   * QUIC's own link first: what it brings is for the address that our UDP comes from. Then the newest, which comes from where we are now; a
   * silent one only when there is no other.
   */
  #bestSession(): Session | undefined {
    const sessions = [...this.#sessions].toReversed();
    const heard = sessions.filter(({ link }) => !link.isSilent);
    return (
      heard.find(({ link }) => link.kind === "quic") ?? heard[0] ?? sessions.find(({ link }) => link.kind !== "quic")
    );
  }
}

/** That the relay does not answer here says nothing about its UDP port. */
async function askFor(session: Session, anywhere: boolean, signal: AbortSignal): Promise<QuicTicket | undefined> {
  try {
    return await session.requestTicket(anywhere, signal);
  } catch (reason) {
    const { code, message } = PortholeError.from(reason);
    throw code === "timeout" ? new PortholeError("unreachable", message, { cause: reason }) : reason;
  }
}
