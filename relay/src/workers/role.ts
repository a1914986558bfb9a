import type { Secret } from "@porthole/common/util";
import type { NewEvent } from "../monitoring/events.ts";

/** The role of a relay that is one of several processes on one machine. */
export interface WorkerRole {
  /** Counts from 0. The first worker has the QUIC port, and writes what only one may write. */
  readonly index: number;
  /** See Welcome. */
  readonly instance: string;
  /** Tickets for QUIC come from it. */
  readonly ticketSecret: Secret;
  readonly onEvent: (event: NewEvent) => void;
  /** The process that serves QUIC is up now, or gone. */
  readonly onQuic: (isUp: boolean) => void;
}

/** The name of a file in the state folder that each worker has for itself. */
export function ownFile(name: string, index = 0): string {
  return index === 0 ? name : name.replace(/(?=\.\w+$)/, `-${index}`);
}
