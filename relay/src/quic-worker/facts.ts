import type { ServingEngine } from "./wire.ts";
import { noDrops, type QuicAcceptorStats } from "@porthole/common/link/quic";

/** The QUIC worker's state for metrics and the operator. Counters never decrease. */
export interface QuicWorkerFacts {
  readonly state: "starting" | "up" | "down" | "unavailable";
  /** Why it is down or unavailable. */
  readonly reason: string | undefined;
  /** The process id, while there is a process. */
  readonly pid: number | undefined;
  /** Deaths of the process, whatever caused them. */
  readonly restarts: number;
  /** Heartbeats that have come, one a second: the figures are those of the last one. */
  readonly beats: number;
  readonly rssBytes: number;
  readonly memoryCapBytes: number;
  /** Which engine serves, while one does. */
  readonly serving: ServingEngine | undefined;
  /** Links that are up. */
  readonly links: number;
  /** `connections` and `handshakes` are of the present process, all else since the start of the relay. */
  readonly engine: QuicAcceptorStats;
}

export const noStats: QuicAcceptorStats = {
  connections: 0,
  handshakes: 0,
  accepted: 0,
  answered: 0,
  sendFailures: 0,
  dropped: noDrops,
};

/** The counters of both; `now` is the process that runs. */
export function addStats(before: QuicAcceptorStats, now: QuicAcceptorStats): QuicAcceptorStats {
  const dropped = Object.entries(before.dropped).map(([reason, count]) => [
    reason,
    count + now.dropped[reason as keyof QuicAcceptorStats["dropped"]],
  ]);
  return {
    connections: now.connections,
    handshakes: now.handshakes,
    accepted: before.accepted + now.accepted,
    answered: before.answered + now.answered,
    sendFailures: before.sendFailures + now.sendFailures,
    dropped: Object.fromEntries(dropped) as QuicAcceptorStats["dropped"],
  };
}
