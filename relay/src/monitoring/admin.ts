import type { IncomingMessage, ServerResponse } from "node:http";
import { PortholeError } from "@porthole/common/errors";
import { parseIp } from "@porthole/common/protocol";
import { sleep, type Clock, type Secret } from "@porthole/common/util";
import { adminPage, adminPagePolicy } from "./admin-page.ts";
import { Registry } from "prom-client";
import { hasToken, isFromPage, operate, type Operations } from "./operate.ts";
import type { RelayReport } from "./report.ts";
import { listenHttp, type HttpListener } from "../listeners/http-listener.ts";

export interface AdminOptions {
  readonly address: string;
  readonly port: number;
  /** In Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  /** Names besides addresses and `localhost` by which monitoring may ask: the Host header has to be one of them. */
  readonly names: readonly string[];
  /** Why no traffic should be sent here; undefined when it may. */
  readonly notReady: () => string | undefined;
  readonly clock: Clock;
  /** Aborts when the relay stops. */
  readonly signal: AbortSignal;
  /** Undefined while the relay opens. */
  readonly report: () => RelayReport | undefined | Promise<RelayReport>;
  /** Lets its bearer operate the relay by the page. */
  readonly token: Secret | undefined;
  /** Undefined for a relay within another program. */
  readonly operations: Operations | undefined;
}

/** More than any monitoring opens. */
const maxConnections = 64;
/** How long a wrong token is not answered. */
const wrongTokenMs = 1_000;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Serves monitoring: `/healthz` (the process responds), `/readyz` (visitors and clients may be sent here), `/metrics`, and `/`, a page for
 * people. Only `/operate` can change anything, and only with the token.
 */
export function openAdmin(options: AdminOptions): Promise<HttpListener> {
  const { address, port } = options;
  return listenHttp({
    ...{ address, port, flag: "admin-port", maxConnections },
    onRequest: (request, response) => void respond(request, response, options),
  });
}

async function respond(request: IncomingMessage, response: ServerResponse, options: AdminOptions): Promise<void> {
  const { status, type, body, headers } = await answer(request, options).catch((reason: unknown) => {
    const { code, message } = PortholeError.from(reason);
    return text(code === "internal" ? 500 : 400, message);
  });
  response.writeHead(status, { "content-type": type, "cache-control": "no-store", ...headers });
  response.end(request.method === "HEAD" ? undefined : body);
}

async function answer(request: IncomingMessage, options: AdminOptions): Promise<Answer> {
  const { metrics, names, notReady } = options;
  const { method, url, headers } = request;
  const path = url?.split("?")[0];
  // A page whose name was made to lead here would read the figures (DNS rebinding).
  if (!isExpectedHost(headers.host, names)) return text(421, "Ask by address, or by a name of --admin-host");
  if (path === "/operate") return operatePage(request, options);
  if (method !== "GET" && method !== "HEAD") return text(405, "Only GET and HEAD");
  switch (path) {
    case "/":
      return page(options, false);
    case "/healthz":
      return text(200, "ok");
    case "/readyz": {
      const reason = notReady();
      return reason === undefined ? text(200, "ready") : text(503, reason);
    }
    case "/metrics":
      return { status: 200, type: Registry.PROMETHEUS_CONTENT_TYPE, body: await metrics() };
    default:
      return text(404, "There are /, /operate, /healthz, /readyz and /metrics");
  }
}

async function operatePage(request: IncomingMessage, options: AdminOptions): Promise<Answer> {
  const { token, operations, clock, signal } = options;
  if (!token || !operations) return text(404, "Without --admin-token-file the relay can't be operated here");
  if (!hasToken(request, token)) {
    if (request.headers.authorization !== undefined) await sleep(clock, wrongTokenMs, signal);
    const headers = { "www-authenticate": 'Basic realm="The token as the password", charset="UTF-8"' };
    return { ...text(401, "The token is missing"), headers };
  }
  if (request.method !== "POST") return page(options, true);
  if (!isFromPage(request)) return text(403, "The form is not from this page");
  const outcome = await operate(request, operations).catch((reason: unknown) => PortholeError.from(reason).message);
  return page(options, true, outcome);
}

async function page(options: AdminOptions, canOperate: boolean, outcome?: string): Promise<Answer> {
  const report = await options.report();
  if (!report) return text(503, "The relay is opening");
  const isOperable = options.token !== undefined && options.operations !== undefined;
  const body = adminPage(report, { canOperate, hasToken: isOperable, ...(outcome === undefined ? {} : { outcome }) });
  const headers = {
    "content-security-policy": adminPagePolicy,
    // With no-referrer a form's Origin would be null.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
  };
  return { status: 200, type: "text/html; charset=utf-8", body, headers };
}

function isExpectedHost(host: string | undefined, names: readonly string[]): boolean {
  if (host === undefined) return true; // HTTP/1.0
  const name = host.replace(/:\d*$/, "").toLowerCase();
  return name === "localhost" || parseIp(name.replace(/^\[|\]$/g, "")) !== undefined || names.includes(name);
}

function text(status: number, line: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${line}\n` };
}
