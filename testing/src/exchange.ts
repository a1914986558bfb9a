import type { PortholeError } from "@porthole/common/errors";
import type { Exchange, ExchangeObserver, RequestHead, ServiceTarget } from "@porthole/tunnel/http";

/** One exchange as the gateway reports it; what is absent is unremarkable. */
export interface ToldExchange {
  readonly request?: Partial<RequestHead>;
  readonly requestBody?: string | Buffer;
  readonly service?: ServiceTarget;
  /** Undefined for one that never reached the local service. */
  readonly forwarded?: readonly string[] | undefined;
  readonly status?: number;
  readonly responseHeaders?: readonly string[];
  readonly responseBody?: string | Buffer;
  readonly error?: PortholeError;
}

export function requestHead(change: Partial<RequestHead> = {}): RequestHead {
  return {
    visitor: {
      endpoint: "primary",
      address: "192.0.2.1",
      port: 5_000,
      hostname: "name.example",
      publicPort: 8_443,
      traceId: "trace",
      transport: "quic",
    },
    scheme: "https",
    httpVersion: "1.1",
    method: "GET",
    target: "/",
    headers: ["Host", "name.example:8443"],
    ...change,
  };
}

/** Up to the response's end; the caller ends the exchange. */
export function beginExchange(observer: ExchangeObserver, told: ToldExchange = {}): Exchange | undefined {
  const head = requestHead(told.request);
  const exchange = observer.begin(head);
  const service = told.service ?? { text: "3000", kind: "http", host: "127.0.0.1", port: 3_000 };
  if (!("forwarded" in told) || told.forwarded)
    exchange?.forwarded({ service, method: head.method, target: head.target, headers: told.forwarded ?? head.headers });
  if (told.requestBody !== undefined) exchange?.requestChunk(Buffer.from(told.requestBody));
  exchange?.requestEnd([]);
  exchange?.responseHead({
    status: told.status ?? 200,
    statusText: "OK",
    headers: told.responseHeaders ?? ["Content-Type", "text/plain"],
    by: "service",
  });
  if (told.responseBody !== undefined) exchange?.responseChunk(Buffer.from(told.responseBody));
  exchange?.responseEnd([]);
  return exchange;
}

export function tellExchange(observer: ExchangeObserver, told: ToldExchange = {}): void {
  beginExchange(observer, told)?.end(told.error);
}
