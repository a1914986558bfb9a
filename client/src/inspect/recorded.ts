import type {
  BodyQuery,
  BodyView,
  ExchangeDetail,
  ExchangeId,
  ExportQuery,
  ExportResult,
  InspectorChanges,
  InspectorStatus,
  ListQuery,
  ListResult,
  MessagesQuery,
  MessagesResult,
  ReplayRequest,
  ReplayResult,
} from "@porthole/tunnel/inspector";
import { runningClient, type RunningClient } from "../running-client.ts";

/** What the running client keeps of its visitors' requests: its inspector, a process away. */
export interface Recorded {
  list(query: ListQuery): Promise<ListResult>;
  detail(query: { readonly id: ExchangeId; readonly unredacted?: boolean }): Promise<ExchangeDetail>;
  body(query: BodyQuery): Promise<BodyView>;
  messages(query: MessagesQuery): Promise<MessagesResult>;
  replay(request: ReplayRequest): Promise<ReplayResult>;
  export(query: ExportQuery): Promise<ExportResult>;
  record(recording: boolean): Promise<InspectorStatus>;
  clear(): Promise<void>;
  /** Until the client ends or the signal aborts. */
  follow(signal: AbortSignal): AsyncGenerator<InspectorChanges, void>;
}

export function recordedBy(stateDir: string | undefined): Recorded {
  const client: RunningClient = runningClient(stateDir);
  return {
    list: (query) => client.ask("inspect/list", query),
    detail: (query) => client.ask("inspect/detail", query),
    body: (query) => client.ask("inspect/body", query),
    messages: (query) => client.ask("inspect/messages", query),
    replay: (request) => client.ask("inspect/replay", request),
    export: (query) => client.ask("inspect/export", query),
    record: (recording) => client.ask("inspect/record", { recording }),
    clear: () => client.ask("inspect/clear"),
    follow: (signal) => client.follow("inspect/follow", signal),
  };
}

/** Everything that a page about one request shows. */
export interface FullExchange {
  readonly detail: ExchangeDetail;
  readonly requestBody: BodyView;
  readonly responseBody: BodyView;
  readonly messages: MessagesResult;
}

/** Of a body, on one page. */
const shownBytes = 64 * 1024;
const shownMessages = 200;

export async function fullExchangeOf(recorded: Recorded, id: ExchangeId, unredacted: boolean): Promise<FullExchange> {
  const detail = await recorded.detail({ id, unredacted });
  const body = (side: "request" | "response"): Promise<BodyView> =>
    recorded.body({ id, side, unredacted, limit: shownBytes });
  const after = Math.max(0, (detail.summary.messages ?? 0) - shownMessages);
  return {
    detail,
    requestBody: await body("request"),
    responseBody: await body("response"),
    messages: await recorded.messages({ id, unredacted, after }),
  };
}
