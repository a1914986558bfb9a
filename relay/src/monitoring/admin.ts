import type { IncomingMessage, ServerResponse } from "node:http";
import { parseIp } from "@porthole/common/protocol";
import type { Metrics } from "./metrics.ts";
import { listenHttp, type HttpListener } from "../listeners/http-listener.ts";

export interface AdminOptions {
  readonly address: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** Names besides addresses and `localhost` by which monitoring may ask: the Host header has to be one of them. */
  readonly names: readonly string[];
  /** Why no traffic should be sent here; undefined when it may. */
  readonly notReady: () => string | undefined;
}

/** More than any monitoring opens. */
const maxConnections = 64;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Serves monitoring: `/healthz` (the process responds), `/readyz` (visitors and clients may be sent here), `/metrics`. Nothing can be changed. */
export function openAdmin(options: AdminOptions): Promise<HttpListener> {
  const { address, port } = options;
  return listenHttp({
    ...{ address, port, flag: "admin-port", maxConnections },
    onRequest: (request, response) => void respond(request, response, options),
  });
}

async function respond(request: IncomingMessage, response: ServerResponse, options: AdminOptions): Promise<void> {
  const { status, type, body } = await answer(request, options);
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function answer(request: IncomingMessage, { metrics, names, notReady }: AdminOptions): Promise<Answer> {
  const { method, url, headers } = request;
  // A page whose name was made to lead here would read the figures (DNS rebinding).
  if (!isExpectedHost(headers.host, names)) return text(421, "Ask by address, or by a name of --admin-host");
  if (method !== "GET" && method !== "HEAD") return text(405, "Only GET and HEAD");
  switch (url?.split("?")[0]) {
    case "/healthz":
      return text(200, "ok");
    case "/readyz": {
      const reason = notReady();
      return reason === undefined ? text(200, "ready") : text(503, reason);
    }
    case "/metrics":
      return { status: 200, type: metrics.registry.contentType, body: await metrics.registry.metrics() };
    default:
      return text(404, "There are /healthz, /readyz and /metrics");
  }
}

function isExpectedHost(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined) return true; // HTTP/1.0
  const name = host.replace(/:\d*$/, "").toLowerCase();
  return name === "localhost" || parseIp(name.replace(/^\[|\]$/g, "")) !== undefined || names.includes(name);
}

function text(status: number, line: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${line}\n` };
}
