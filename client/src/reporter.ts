import type { LogLine, RequestView, TunnelStateView, VisitView } from "@porthole/tunnel/rpc";

/** What a run of the client shows. It has no logic of its own: states come in, text goes out. */
export interface Reporter {
  onState(state: TunnelStateView): void;
  onVisit(visit: VisitView): void;
  onRequest(request: RequestView): void;
  onLog(line: LogLine): void;
  close(): void;
}
