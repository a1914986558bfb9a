import assert from "node:assert/strict";
import type { IncomingMessage, RequestListener } from "node:http";
import { get, startHttp, startTunnel, type Scope, type Site, type Tunnel } from "@porthole/testing/end-to-end";

export interface HttpWorld extends Tunnel {
  /** The requests that reached the service, but for those of `nextIsServed`. */
  readonly seen: IncomingMessage[];
}

/** A tunnel to a service that keeps a list of what reaches it. */
export async function startHttpWorld(scope: Scope, handler?: RequestListener): Promise<HttpWorld> {
  const seen: IncomingMessage[] = [];
  const service = await startHttp(scope, (incoming, response) => {
    if (incoming.url === "/next") return void response.end("served");
    seen.push(incoming);
    if (handler) return handler(incoming, response);
    incoming.resume().on("end", () => response.end("reached"));
  });
  return { ...(await startTunnel(scope, { transport: "http2", local: service.local })), seen };
}

export async function nextIsServed(site: Site): Promise<void> {
  assert.equal(await get(site, "/next"), "served");
}
