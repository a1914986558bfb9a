import http, { type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import tls from "node:tls";
import { PortholeError, setting } from "../../errors.ts";
import { withDeadline, type Clock } from "../../util/index.ts";
import { networkError } from "./network-error.ts";

/** Far above any chain or directory. */
const maxBodyBytes = 1024 * 1024;
const deadlineMs = 30_000;

export interface AcmeRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: string;
}

export interface AcmeResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The way to the certificate authority. Rejects with `unreachable`, `untrusted`, `timeout`, or the signal's reason. */
export interface AcmeTransport {
  request(request: AcmeRequest, signal: AbortSignal): Promise<AcmeResponse>;
  /** Ends idle connections. It can be used again afterwards. */
  close(): void;
}

/** How a connection to a host is made through a proxy; undefined where none leads there. */
export type ProxyTo = (target: {
  readonly host: string;
  readonly port: number;
}) => ((signal: AbortSignal) => Promise<Socket>) | undefined;

export interface TransportOptions {
  readonly clock: Clock;
  /** PEM of the only authorities that the directory's own TLS certificate may come from; the system's when absent. */
  readonly trust?: string | undefined;
  readonly proxyTo?: ProxyTo | undefined;
}

/** node:https with one deadline for each request, through a proxy where one leads to the authority. It follows no redirects (ACME has none) and keeps connections for reuse. */
export function httpsTransport(options: TransportOptions): AcmeTransport {
  const { clock, trust, proxyTo } = options;
  const secure = new https.Agent({ keepAlive: true, ...(trust !== undefined && { ca: trust }) });
  // A connection that comes after the agent's end would be nobody's.
  let closing = new AbortController();
  if (proxyTo)
    connectThrough(secure, proxyTo, () => AbortSignal.any([closing.signal, AbortSignal.timeout(deadlineMs)]));
  const plain = new http.Agent({ keepAlive: true });

  function exchange(url: URL, request: AcmeRequest, signal: AbortSignal, isAgain = false): Promise<AcmeResponse> {
    return new Promise((resolve, reject) => {
      const { request: send } = url.protocol === "https:" ? https : http;
      const agent = url.protocol === "https:" ? secure : plain;
      const outgoing = send(url, { method: request.method, headers: request.headers, agent, signal });
      outgoing.on("response", (incoming) => {
        readBody(incoming).then(resolve, reject);
      });
      outgoing.on("error", (reason: NodeJS.ErrnoException) => {
        // The server may have closed a kept connection just before we used it: that says nothing about the request.
        if (outgoing.reusedSocket && reason.code === "ECONNRESET" && !isAgain)
          resolve(exchange(url, request, signal, true));
        else reject(reason);
      });
      outgoing.end(request.body);
    });
  }

  return {
    async request(request, signal) {
      const url = allowedUrl(request.url);
      try {
        return await withDeadline({ clock, delayMs: deadlineMs, what: `The answer of ${url.host}`, signal }, (within) =>
          exchange(url, request, within),
        );
      } catch (reason) {
        // The abort of our own or the deadline; Node's AbortError only says that there was one.
        if (signal.aborted) throw signal.reason;
        throw networkError(url.host, reason);
      }
    },
    close() {
      closing.abort(new PortholeError("closed", "The caller no longer needs the certificate authority"));
      closing = new AbortController();
      secure.destroy();
      plain.destroy();
    },
  };
}

function connectThrough(agent: https.Agent, proxyTo: ProxyTo, signalOfOne: () => AbortSignal): void {
  const straight = agent.createConnection.bind(agent);
  agent.createConnection = (options: tls.ConnectionOptions, callback) => {
    const connect = proxyTo({ host: options.host ?? "", port: Number(options.port) });
    if (!connect) return straight(options, callback);
    connect(signalOfOne()).then(
      (socket) => callback?.(null, tls.connect({ ...options, socket })),
      // An agent that gets an error looks at no stream.
      (reason: unknown) => callback?.(PortholeError.from(reason), undefined as never),
    );
    return undefined;
  };
}

/** RFC 8555 6.1: HTTPS only. Without TLS it may stay on this machine (a fake authority in tests, a local proxy). */
export function allowedUrl(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new PortholeError("usage", `${JSON.stringify(text)} is not an address`, { cause, hint: directoryHint });
  }
  const isLocal = url.hostname === "localhost" || url.hostname === "127.0.0.1" || url.hostname === "[::1]";
  if (url.protocol === "https:" || (url.protocol === "http:" && isLocal)) return url;
  throw new PortholeError("usage", `${url.protocol}//${url.host} is not an https address`, { hint: directoryHint });
}

const directoryHint = `Give the https address of the authority's directory with ${setting("acme-directory")}.`;

async function readBody(incoming: IncomingMessage): Promise<AcmeResponse> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new PortholeError("limit", `An answer of more than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  return { status: incoming.statusCode ?? 0, headers, body: Buffer.concat(chunks).toString("utf8") };
}

/**
 * RFC 9110 10.2.3: seconds or a date. Undefined when there is none or it makes no sense; never more than a week, so that a
 * mistake of the server's does not stop renewals for good.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header === "") return undefined;
  const waitMs = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), maxRetryAfterMs);
}

const maxRetryAfterMs = 7 * 24 * 3_600_000;
