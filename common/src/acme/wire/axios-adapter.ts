import { AsyncLocalStorage } from "node:async_hooks";
import type { AxiosResponse, InternalAxiosRequestConfig } from "axios";
import { PortholeError, setting } from "../../errors.ts";
import type { Clock } from "../../util/index.ts";
import { answerError, readProblem } from "./problem.ts";
import { allowedUrl, retryAfterMs, type AcmeRequest, type AcmeTransport } from "./transport.ts";

/** RFC 8555 6.5: the server's complaint about a nonce costs only another try; acme-client makes five. */
const maxBadNonces = 5;
const maxKeptNonces = 20;

/** One authority, as the calls of one AcmeClient share it. */
export interface Session {
  readonly transport: AcmeTransport;
  readonly clock: Clock;
  readonly userAgent: string;
  /** Unused nonces of earlier answers: acme-client would ask for a new one before each request. */
  readonly nonces: string[];
}

/** One call into acme-client. */
export interface Call {
  readonly session: Session;
  readonly signal: AbortSignal;
  badNonces: number;
  /** Retry-After of the last response. Undefined when it had none. */
  retryAfterMs: number | undefined;
}

/**
 * acme-client has one axios instance for the whole process, with retries that can't be aborted and that lose the cause of an
 * error (facts: 75 s of silence, then a TypeError). This adapter takes axios' place below it: what belongs to a call comes from
 * here, and what it throws has no `config`, which is how acme-client's own retrying is told to keep out.
 */
export const calls = new AsyncLocalStorage<Call>();

/** Sends one of acme-client's requests through the present call's transport. Rejects with the authority's problem, or `protocol` when the server is no authority. */
export async function adapter(config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  const call = calls.getStore();
  if (!call) throw new PortholeError("internal", "acme-client was used outside of AcmeClient");
  const { session } = call;
  const request = toRequest(config, session.userAgent);
  if (request.method === "HEAD") {
    const nonce = session.nonces.pop();
    if (nonce !== undefined) return answer(config, 200, { "replay-nonce": nonce }, "");
  }
  const { status, headers, body } = await session.transport.request(request, call.signal);
  call.retryAfterMs = retryAfterMs(headers["retry-after"], session.clock.now());
  keepNonce(session, request, headers["replay-nonce"]);
  if (status < 400) {
    expectJson(request, status, headers["content-type"] ?? "");
    return answer(config, status, headers, body);
  }
  const problem = readProblem(status, parse(body));
  // acme-client answers this one itself, with the nonce that came with the complaint.
  if (problem.type === "badNonce" && status === 400 && ++call.badNonces <= maxBadNonces)
    return answer(config, status, headers, body);
  throw answerError(allowedUrl(request.url).host, problem, call.retryAfterMs);
}

function toRequest(config: InternalAxiosRequestConfig, userAgent: string): AcmeRequest {
  const method = (config.method ?? "get").toUpperCase();
  if ((method !== "GET" && method !== "HEAD" && method !== "POST") || config.url === undefined)
    throw new PortholeError("internal", `acme-client sends ${method}`);
  return {
    method,
    url: config.url,
    headers: {
      "user-agent": userAgent, // RFC 8555 6.1 demands one
      ...(method === "POST" && { "content-type": "application/jose+json" }),
    },
    ...(typeof config.data === "string" && { body: config.data }),
  };
}

function keepNonce(session: Session, request: AcmeRequest, nonce: string | undefined): void {
  // After HEAD and after badNonce acme-client uses the answer's nonce itself; a second use only costs a round trip.
  if (nonce !== undefined && request.method === "POST" && session.nonces.length < maxKeptNonces)
    session.nonces.push(nonce);
}

/** Throws `protocol` unless the response can be JSON or a chain. A login page or a wrong path would confuse acme-client. */
function expectJson({ method, url }: AcmeRequest, status: number, contentType: string): void {
  if (method === "HEAD" || status === 204 || /json|application\/pem-certificate-chain/.test(contentType)) return;
  throw notAcme(url, `status ${status}, ${contentType === "" ? "no content type" : contentType}`);
}

/** Returns the error for a response that no certificate authority gives. */
export function notAcme(url: string, what: string): PortholeError {
  return new PortholeError("protocol", `${allowedUrl(url).host} does not answer as a certificate authority: ${what}`, {
    hint: `Check ${setting("acme-directory")}. A proxy or a login page on the way gives the same error.`,
  });
}

function answer(config: InternalAxiosRequestConfig, status: number, headers: object, data: string): AxiosResponse {
  return { status, statusText: "", headers: { ...headers }, data, config };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}
