import type { RequestReport } from "@porthole/tunnel/http";
import type { Logger } from "@porthole/common/log";
import type { TunnelState, VisitReport } from "@porthole/tunnel/tunnel";

/** What a run of the client shows. It has no logic of its own: states come in, text goes out. */
export interface Reporter {
  readonly log: Logger;
  onState(state: TunnelState): void;
  onVisit(report: VisitReport): void;
  onRequest(report: RequestReport): void;
  close(): void;
}
