import type { BodyView, ExchangeDetail, MessagesResult } from "@porthole/tunnel/rpc";
import type { TunnelClient } from "../running-client.ts";

/** Everything that a page about one request shows. */
export interface FullExchange {
  readonly detail: ExchangeDetail;
  readonly requestBody: BodyView;
  readonly responseBody: BodyView;
  readonly messages: MessagesResult;
}

/** Bytes of a body that one page shows. */
const shownBytes = 64 * 1024;
const shownMessages = 200;

export async function fullExchange(client: TunnelClient, id: string, unredacted: boolean): Promise<FullExchange> {
  const exchange = { tunnel: client.tunnel, id, unredacted };
  const detail = await client.call("inspect/get", exchange);
  const body = (side: "request" | "response"): Promise<BodyView> =>
    client.call("inspect/body", { ...exchange, side, limit: shownBytes });
  const after = Math.max(0, (detail.summary.messages ?? 0) - shownMessages);
  return {
    detail,
    requestBody: await body("request"),
    responseBody: await body("response"),
    messages: await client.call("inspect/messages", { ...exchange, after }),
  };
}
