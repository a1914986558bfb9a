import type { LogLine, RequestView, TunnelStateView, VisitView } from "@porthole/tunnel/rpc";

/** Shows a client's tunnels, by their names. It has no logic of its own: states come in, text goes out. */
export interface Reporter {
  onState(tunnel: string, state: TunnelStateView): void;
  onVisit(tunnel: string, visit: VisitView): void;
  onRequest(tunnel: string, request: RequestView): void;
  onLog(line: LogLine): void;
  close(): void;
}
