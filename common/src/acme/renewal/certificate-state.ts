import type { PortholeError } from "../../errors.ts";
import type { IdentityKey } from "../../identity/index.ts";
import type { Logger } from "../../log.ts";

/** A certificate with its key, ready for a TLS server. */
export interface ServedCertificate {
  readonly name: string;
  /** PEM, the certificate itself first. */
  readonly chainPem: string;
  readonly key: IdentityKey;
  readonly notBefore: number;
  readonly notAfter: number;
  /** The authority that issued it. Undefined for a certificate that another program put into the file. */
  readonly directoryUrl: string | undefined;
}

/** `waiting`: for the way to us to be open, or for another process that orders the same. */
export type OrderPhase = "waiting" | "ordering";

/** How a certificate stands, as a person must be able to tell it apart. Times in milliseconds since 1970. */
export type CertificateState =
  /** There is none yet. */
  | { readonly status: "pending"; readonly phase: OrderPhase }
  | { readonly status: "valid"; readonly notAfter: number; readonly renewAt: number }
  /** The old one serves in the meantime. */
  | { readonly status: "renewing"; readonly notAfter: number; readonly phase: OrderPhase }
  /** The last attempt failed. A certificate that is there keeps serving. Without `nextAttemptAt` somebody has to act first. */
  | {
      readonly status: "failed";
      readonly error: PortholeError;
      readonly notAfter?: number | undefined;
      readonly nextAttemptAt?: number | undefined;
    };

/** The present state; reports changes, and only changes. */
export class StateReporter {
  readonly #name: string;
  readonly #log: Logger;
  readonly #onState: ((state: CertificateState) => void) | undefined;
  #state: CertificateState = { status: "pending", phase: "waiting" };
  #last = "";
  #lastFailure = "";

  constructor(name: string, log: Logger, onState: ((state: CertificateState) => void) | undefined) {
    this.#name = name;
    this.#log = log;
    this.#onState = onState;
  }

  get state(): CertificateState {
    return this.#state;
  }

  working(phase: OrderPhase, notAfter: number | undefined): void {
    this.#report(notAfter === undefined ? { status: "pending", phase } : { status: "renewing", notAfter, phase });
  }

  valid(notAfter: number, renewAt: number): void {
    this.#lastFailure = "";
    this.#report({ status: "valid", notAfter, renewAt });
  }

  failed(error: PortholeError, notAfter: number | undefined, nextAt: number | undefined): void {
    const nextAttemptAt = nextAt !== undefined && Number.isFinite(nextAt) ? nextAt : undefined;
    const next = nextAttemptAt === undefined ? "never" : new Date(nextAttemptAt).toISOString();
    const { code, hint, message } = error;
    // The same trouble every minute is news once.
    if (this.#lastFailure !== message) this.#log.warn({ name: this.#name, code, next, hint }, message);
    this.#lastFailure = message;
    this.#report({ status: "failed", error, notAfter, nextAttemptAt });
  }

  #report(state: CertificateState): void {
    this.#state = state;
    const text = JSON.stringify(state.status === "failed" ? { ...state, error: state.error.message } : state);
    if (text === this.#last) return;
    this.#last = text;
    this.#onState?.(state);
  }
}
