import type { Clock } from "../../../../util/clock.ts";
import { TokenBucket } from "../../../../util/token-bucket.ts";
import type { RemoteAddress } from "../../../types.ts";
import type { RefusalReason } from "../../options.ts";
import type { Admission } from "./packet-gate.ts";
import { expiresAtMs, isTicketOfHolder, ticketFault, type TicketKey } from "../../ticket.ts";

/** More than this relay can do handshakes within the life of a ticket. What does not fit is refused, and goes over HTTP/2. */
const maxUsedTickets = 262_144;
/**
 * A look costs up to 43 us, so a whole second's at once would be felt by everybody. Twice as many as may be answered; who is refused
 * in the meantime goes over HTTP/2.
 */
const looks = { perSecond: 4_000, atOnce: 200 };

/**
 * Lets in who has a ticket: each begins one handshake, within its life, from where it was given to, and ends in a connection
 * only for the key that it was made for. Remembers the tickets that were used until they expire.
 */
export class TicketGate implements Admission {
  readonly #clock: Clock;
  readonly #keys = new Map<number, TicketKey>();
  readonly #looks: TokenBucket;
  /** The tickets as text, in the order of their use, and when they expire. */
  readonly #used = new Map<string, number>();

  constructor(clock: Clock, keys: readonly TicketKey[]) {
    this.#clock = clock;
    this.#looks = new TokenBucket(clock, looks);
    this.setKeys(keys);
  }

  /** Tickets by other keys are none any more. */
  setKeys(keys: readonly TicketKey[]): void {
    this.#keys.clear();
    for (const key of keys) this.#keys.set(key.id, key);
  }

  refuses(sourceId: Buffer, from: RemoteAddress): RefusalReason | undefined {
    const key = this.#keyOf(sourceId);
    if (!key) return "no-ticket";
    if (!this.#looks.take()) return "rate";
    return (
      ticketFault(key, sourceId, from, this.#clock.now()) ??
      (this.#used.has(sourceId.toString("latin1")) ? "ticket-used" : undefined)
    );
  }

  spend(sourceId: Buffer): boolean {
    const key = this.#keyOf(sourceId);
    if (!key) return false;
    this.#forget();
    const ticket = sourceId.toString("latin1");
    if (this.#used.has(ticket) || this.#used.size >= maxUsedTickets) return false;
    this.#used.set(ticket, expiresAtMs(key, sourceId));
    return true;
  }

  isFor(sourceId: Buffer, certificate: Buffer): boolean {
    return isTicketOfHolder(this.#keys.values(), sourceId, certificate);
  }

  #keyOf(sourceId: Buffer): TicketKey | undefined {
    return this.#keys.get(sourceId[0] ?? -1);
  }

  /** Those that were used first expire first, or nearly: all live equally long. */
  #forget(): void {
    const now = this.#clock.now();
    for (const [ticket, until] of this.#used) {
      if (until > now) return;
      this.#used.delete(ticket);
    }
  }
}
