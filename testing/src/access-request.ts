import type { AccessRequest } from "@porthole/tunnel/access";

/** A request as an access policy sees it: a GET of `/` from 192.0.2.1 unless told otherwise. */
export interface FakeRequest extends AccessRequest {
  readonly bodiesRead: number;
}

export function fakeRequest(
  change: {
    readonly method?: string;
    readonly target?: string;
    readonly headers?: readonly string[];
    readonly address?: string;
    readonly body?: Buffer;
  } = {},
): FakeRequest {
  let bodiesRead = 0;
  const body = change.body ?? Buffer.alloc(0);
  return {
    visitor: {
      endpoint: "primary",
      address: change.address ?? "192.0.2.1",
      hostname: "name.example",
      traceId: "trace",
      transport: "h2",
    },
    method: change.method ?? "GET",
    target: change.target ?? "/",
    headers: change.headers ?? [],
    body(maxBytes, onBytes) {
      bodiesRead++;
      onBytes(body.length);
      return Promise.resolve(body.length > maxBytes ? undefined : body);
    },
    get bodiesRead() {
      return bodiesRead;
    },
  };
}
