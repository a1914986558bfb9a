import { randomInt } from "node:crypto";
import { createTicketKey, mintTicket, type TicketKey } from "@porthole/common/link/quic";
import type { QuicTicket } from "@porthole/common/protocol";
import type { Clock } from "@porthole/common/util";
import { ticketLimits } from "./limits.ts";

export interface TicketHolder {
  /** The client's key. */
  readonly fingerprint: string;
  readonly address: string;
}

/**
 * Makes the tickets that the QUIC worker lets in. Its keys are here and not in the QUIC worker, so that tickets outlive the QUIC worker's process,
 * and that what has broken into the QUIC worker can make none for the next one.
 */
export class TicketOffice {
  readonly #clock: Clock;
  readonly #onKeys: (keys: readonly TicketKey[]) => void;
  #present: TicketKey;
  #previous: TicketKey | undefined;

  /** `onKeys`: the QUIC worker has to know them from now on. */
  constructor(clock: Clock, onKeys: (keys: readonly TicketKey[]) => void) {
    this.#clock = clock;
    this.#onKeys = onKeys;
    // By chance, so that a relay that was restarted does not take the old one's tickets for forged by itself.
    this.#present = createTicketKey(randomInt(256), clock.now());
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

  /** What the QUIC worker has to know, the present one first. */
  keys(): readonly TicketKey[] {
    return this.#previous ? [this.#present, this.#previous] : [this.#present];
  }

  /** `anywhere`: a short-lived one that is not bound to the client's address. */
  issue({ fingerprint, address }: TicketHolder, anywhere: boolean): QuicTicket {
    this.#rotate();
    const lifetimeMs = anywhere ? ticketLimits.roamingLifetimeMs : ticketLimits.lifetimeMs;
    const ticket = mintTicket(this.#present, {
      fingerprint,
      address: anywhere ? undefined : address,
      expiresAtMs: this.#clock.now() + lifetimeMs,
    });
    return { quic: ticket.toString("hex"), lifetimeMs };
  }

  #rotate(): void {
    const age = this.#clock.now() - this.#present.sinceMs;
    // A clock that was set back makes a key from the future.
    if (age >= 0 && age < ticketLimits.keyLifetimeMs) return;
    this.#previous = this.#present;
    this.#present = createTicketKey(this.#present.id + 1, this.#clock.now());
    this.#onKeys(this.keys());
  }
}
