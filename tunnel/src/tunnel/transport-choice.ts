import type { PortholeError } from "@porthole/common/errors";
import { limits } from "./limits.ts";

/** Decides which links a client should have with one relay, and why. It is pure: facts and the time come in, the decision goes out. */

export type TransportPolicy = "auto" | "quic" | "h2";

export interface ChoiceSettings {
  readonly policy: TransportPolicy;
  readonly poolSize: number;
  /** As the user wrote it. */
  readonly server: string;
}

/** How QUIC stands with the relay now. */
export type QuicFact =
  /** There will be none on this machine or with this key. */
  | { readonly is: "unavailable"; readonly reason: string }
  /** HTTP/2 is not up yet: what QUIC's dial needs comes by it. */
  | { readonly is: "beginning" }
  | { readonly is: "dialing" }
  | { readonly is: "up" }
  /** Up, but the relay does not answer; it may come back. */
  | { readonly is: "silent" }
  | { readonly is: "waiting"; readonly error: PortholeError; readonly nextTryAt: number };

export interface WantedLinks {
  readonly quic: boolean;
  readonly http2: number;
}

/** Why QUIC does not carry new visitors. */
export interface WhyNotQuic {
  readonly message: string;
  /** When it is tried again, in milliseconds since 1970; may be now. */
  readonly nextTryAt?: number;
}

export interface Decision {
  readonly links: WantedLinks;
  readonly connection: "quic" | "http2";
  /** Absent when it does, and when the user asked for HTTP/2. */
  readonly whyNotQuic?: WhyNotQuic;
  /** The decision changes by itself after this time. */
  readonly reviewInMs?: number;
}

/**
 * QUIC carries the traffic whenever it can, beside one HTTP/2 connection as the standby. The whole pool is there when QUIC is
 * late, has been silent for a moment, or can't be had; and it stays for a while when QUIC is back, so that a path that comes and
 * goes does not make connections come and go.
 */
export class TransportChoice {
  readonly #settings: ChoiceSettings;
  #fact: QuicFact = { is: "beginning" };
  /** Since when QUIC is as it is. */
  #sinceMs: number;
  #why: WhyNotQuic = firstTry;
  #failed = false;
  /** Over the present network. */
  #wasUp = false;
  /** QUIC was up before all links were lost, and has not been dialled in vain since. */
  #isReturning = false;
  #poolIsOut = false;

  constructor(settings: ChoiceSettings, nowMs: number) {
    this.#settings = settings;
    this.#sinceMs = nowMs;
  }

  /** Call it with every change and, with the same fact, at the time of the last decision's review. */
  see(fact: QuicFact, nowMs: number): Decision {
    if (fact.is !== this.#fact.is) this.#sinceMs = nowMs;
    // What had failed before the relay was away says nothing of now.
    if (fact.is === "waiting" && this.#fact.is === "dialing" && !isAbsence(fact.error)) this.#isReturning = false;
    if (fact.is === "beginning" && this.#wasUp) this.#isReturning = true;
    this.#fact = fact;
    this.#explain(fact);
    const { policy, poolSize } = this.#settings;
    if (policy === "h2") return { links: { quic: false, http2: poolSize }, connection: "http2" };
    const connection = fact.is === "up" ? "quic" : "http2";
    const why = connection === "quic" ? {} : { whyNotQuic: this.#why };
    if (policy === "quic") return { links: { quic: true, http2: 0 }, connection: "quic", ...why };
    const leftMs = this.#sinceMs + this.#graceMs() - nowMs;
    // While nothing is up, one link shows whether the relay is there.
    if (fact.is === "beginning") this.#poolIsOut = false;
    else if (leftMs <= 0) this.#poolIsOut = fact.is !== "up";
    return {
      links: { quic: fact.is !== "unavailable", http2: this.#poolIsOut ? poolSize : 1 },
      connection,
      ...why,
      ...(leftMs > 0 ? { reviewInMs: leftMs } : {}),
    };
  }

  /** What was learnt about the way to the relay is worth nothing any more. */
  forget(nowMs: number): void {
    this.#failed = false;
    this.#wasUp = false;
    this.#isReturning = false;
    this.#why = firstTry;
    this.#sinceMs = nowMs;
  }

  /** How long QUIC may be as it is before the pool is called out, or sent home. */
  #graceMs(): number {
    const patienceMs = this.#isReturning ? limits.quicReturnMs : 0;
    switch (this.#fact.is) {
      case "up":
        return this.#poolIsOut ? limits.quicSettledMs : 0;
      case "silent":
        return limits.quicSilentPoolMs;
      case "dialing":
        return this.#failed ? 0 : Math.max(limits.quicHeadStartMs, patienceMs);
      case "waiting":
        return Math.max(isAbsence(this.#fact.error) ? limits.quicAbsentPoolMs : 0, patienceMs);
      case "beginning":
      case "unavailable":
        return 0;
    }
  }

  #explain(fact: QuicFact): void {
    switch (fact.is) {
      case "up":
        this.#failed = false;
        this.#wasUp = true;
        this.#isReturning = false;
        this.#why = firstTry;
        return;
      case "silent":
        this.#why = { message: `UDP to ${this.#settings.server} has gone silent` };
        return;
      case "waiting":
        this.#failed = !this.#isReturning && !isAbsence(fact.error);
        this.#why = { message: this.#describe(fact.error), nextTryAt: fact.nextTryAt };
        return;
      case "unavailable":
        this.#why = { message: `QUIC is unavailable: ${fact.reason}` };
        return;
      case "beginning":
      case "dialing":
        // The reason of before stays, so that what is shown does not flicker.
        return;
    }
  }

  #describe({ code, message }: PortholeError): string {
    if (code === "timeout") return `UDP to ${this.#settings.server} got no answer`;
    return message.startsWith("QUIC") ? message : `QUIC: ${message}`;
  }
}

/** A relay without QUIC, as it is right after its start, has not failed. */
function isAbsence({ code }: PortholeError): boolean {
  return code === "unreachable";
}

const firstTry: WhyNotQuic = { message: "QUIC is being tried" };
