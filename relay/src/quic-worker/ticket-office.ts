import { hkdfSync, randomInt } from "node:crypto";
import { createTicketKey, mintTicket, type TicketKey } from "@porthole/common/link/quic";
import type { QuicTicket } from "@porthole/common/protocol";
import type { Clock, Secret } from "@porthole/common/util";
import { ticketLimits } from "./limits.ts";

export interface TicketHolder {
  /** The client's key. */
  readonly fingerprint: string;
  readonly address: string;
}

const secretBytes = 32;

/**
 * Makes the tickets that the QUIC worker lets in. Its keys are here and not in the QUIC worker, so that tickets outlive the QUIC worker's process,
 * and that what has broken into the QUIC worker can make none for the next one.
 *
 * With a secret that several relays have, keys follow from it and the time: a ticket of one is good at all, and nothing has to be
 * said between them. Clocks may differ by the life of a key.
 */
export class TicketOffice {
  readonly #clock: Clock;
  readonly #onKeys: (keys: readonly TicketKey[]) => void;
  #present: TicketKey;
  readonly #secret: Secret | undefined;
  #previous: TicketKey | undefined;

  /** `onKeys`: the QUIC worker has to know them from now on. */
  constructor(clock: Clock, onKeys: (keys: readonly TicketKey[]) => void, secret?: Secret) {
    this.#clock = clock;
    this.#onKeys = onKeys;
    this.#secret = secret;
    // By chance, so that a relay that was restarted does not take the old one's tickets for forged by itself.
    this.#present = secret ? sharedKey(secret, epochAt(clock.now())) : createTicketKey(randomInt(256), clock.now());
  }

  /** Uses the keys of an earlier run, the newest first, as far as their tickets may still be valid. */
  adopt(keys: readonly TicketKey[]): void {
    const now = this.#clock.now();
    const isUseful = ({ sinceMs }: TicketKey): boolean =>
      sinceMs <= now && now - sinceMs < ticketLimits.keyLifetimeMs + ticketLimits.lifetimeMs;
    const [newest, previous] = keys.filter(isUseful);
    if (!newest) return;
    if (now - newest.sinceMs < ticketLimits.keyLifetimeMs) {
      this.#present = newest;
      this.#previous = previous;
    } else {
      this.#previous = newest;
      this.#present = createTicketKey(newest.id + 1, now);
    }
  }

  /** Returns the keys for the QUIC worker, the present one first. */
  keys(): readonly TicketKey[] {
    if (this.#secret) {
      const epoch = epochAt(this.#present.sinceMs);
      // The next one is for those whose clocks are ahead.
      return [this.#present, ...[epoch - 1, epoch + 1].map((each) => sharedKey(this.#secret as Secret, each))];
    }
    return this.#previous ? [this.#present, this.#previous] : [this.#present];
  }

  /** `anywhere`: a short-lived one that is not bound to the client's address. */
  issue({ fingerprint, address }: TicketHolder, anywhere: boolean): QuicTicket {
    this.rotate();
    const lifetimeMs = anywhere ? ticketLimits.roamingLifetimeMs : ticketLimits.lifetimeMs;
    const ticket = mintTicket(this.#present, {
      fingerprint,
      address: anywhere ? undefined : address,
      expiresAtMs: this.#clock.now() + lifetimeMs,
    });
    return { quic: ticket.toString("hex"), lifetimeMs };
  }

  /** Takes a new key, if it is time. Tickets of other relays come by keys of their time, so it is called now and then. */
  rotate(): void {
    if (this.#secret) {
      const epoch = epochAt(this.#clock.now());
      if (epoch === epochAt(this.#present.sinceMs)) return;
      this.#present = sharedKey(this.#secret, epoch);
      return this.#onKeys(this.keys());
    }
    const age = this.#clock.now() - this.#present.sinceMs;
    // A clock that was set back makes a key from the future.
    if (age >= 0 && age < ticketLimits.keyLifetimeMs) return;
    this.#previous = this.#present;
    this.#present = createTicketKey(this.#present.id + 1, this.#clock.now());
    this.#onKeys(this.keys());
  }
}

function epochAt(ms: number): number {
  return Math.floor(ms / ticketLimits.keyLifetimeMs);
}

function sharedKey(secret: Secret, epoch: number): TicketKey {
  const bytes = hkdfSync("sha256", secret.reveal(), "porthole-quic-tickets", String(epoch), secretBytes);
  return { id: epoch & 0xff, secret: Buffer.from(bytes), sinceMs: epoch * ticketLimits.keyLifetimeMs };
}
