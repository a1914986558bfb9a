import type { PortholeError } from "@porthole/common/errors";

/** One request of a visitor, once it has been answered (or, for a WebSocket, once that is open). */
export interface RequestReport {
  readonly role: "primary" | "secondary";
  /** The visitor's. */
  readonly address: string;
  readonly hostname: string;
  readonly traceId: string;
  readonly method: string;
  /** The path without the query, which may hold secrets. */
  readonly path: string;
  /** 0 when the visitor left before it was answered. */
  readonly status: number;
  readonly durationMs: number;
  readonly error?: PortholeError;
}
