import type { MetricObject } from "prom-client";
import { isErrorCode, PortholeError } from "@porthole/common/errors";
import type { Peer } from "../cluster/peer.ts";
import type { NewEvent } from "../monitoring/events.ts";
import type { RelayReport } from "../monitoring/report.ts";
import type { Relay } from "../running/relay.ts";

/** A worker's settings, before it opens anything. */
export interface WorkerStart {
  /** Counts from 0. The first worker has the QUIC port. */
  readonly index: number;
  /** The same for all workers of a relay, see Welcome. */
  readonly instance: string;
  /** Tickets for QUIC come from it, so that each worker can make them. */
  readonly ticketSecret: string;
}

/** Messages of the supervisor to a worker, over Node's channel to a child process. */
export type ToWorker =
  | ({ readonly type: "start" } & WorkerStart)
  /** The other workers. */
  | { readonly type: "peers"; readonly peers: readonly Peer[] }
  /** Whether the first worker serves QUIC now. */
  | { readonly type: "quic"; readonly isUp: boolean }
  | { readonly type: "drain" }
  /** Ends the draining. */
  | { readonly type: "hurry" }
  | { readonly type: "ask"; readonly id: number; readonly question: Question };

/** Messages of a worker to the supervisor. */
export type FromWorker =
  | ({ readonly type: "ready" } & WorkerFacts)
  | { readonly type: "failed"; readonly error: PlainError }
  | { readonly type: "quic"; readonly isUp: boolean }
  | { readonly type: "event"; readonly event: NewEvent }
  | { readonly type: "answer"; readonly id: number; readonly answer?: unknown; readonly error?: PlainError };

/** A worker that serves. */
export interface WorkerFacts extends Pick<
  Relay,
  "apiPort" | "publicPort" | "alpnPort" | "httpPort" | "fingerprint" | "quicUnavailable"
> {
  /** How the other workers reach it. */
  readonly peer: Peer;
}

/** Questions to a worker, with the types of their answers. */
export interface Answers {
  readonly report: RelayReport;
  readonly metrics: readonly MetricObject[];
  readonly disconnect: number;
  readonly unblock: boolean;
  readonly reload: readonly string[];
}

export type Question =
  | { readonly is: "report" | "metrics" | "reload" }
  | { readonly is: "disconnect"; readonly key: string }
  | { readonly is: "unblock"; readonly address: string };

/** An error as the channel carries it. */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export function plainError(reason: unknown): PlainError {
  const { code, message, hint } = PortholeError.from(reason);
  return { code, message, ...(hint === undefined ? {} : { hint }) };
}

export function readPlainError({ code, message, hint }: PlainError): PortholeError {
  return new PortholeError(isErrorCode(code) ? code : "internal", message, hint === undefined ? {} : { hint });
}
