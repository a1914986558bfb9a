import type { Field } from "../messages.ts";

/** A request over HTTP/2 that is refused before it reaches the service. */
export interface Http2RefusedCase {
  /** All of the head, pseudo-fields included. NAME is the public name with its port, SITE the name alone. */
  readonly head: readonly Field[];
  readonly body?: string;
  readonly trailers?: readonly Field[];
  /** `dropped`: nghttp2 leaves the field out. `reset` is an error of the stream or of the connection (RFC 9113 8.1.1). */
  readonly refusal: "dropped" | "reset" | 400 | 405 | 421 | 431;
}

const method: Field = [":method", "GET"];
const post: Field = [":method", "POST"];
const path: Field = [":path", "/smuggled"];
const scheme: Field = [":scheme", "https"];
const authority: Field = [":authority", "NAME"];
const get = [method, scheme, authority, path] as const;
const upload = [post, scheme, authority, path] as const;

function refused(
  refusal: Http2RefusedCase["refusal"],
  heads: Readonly<Record<string, readonly Field[]>>,
): Record<string, Http2RefusedCase> {
  return Object.fromEntries(Object.entries(heads).map(([name, head]) => [name, { head, refusal }]));
}

/** What becomes another request when it is written down as HTTP/1.1 (RFC 9113 10.3). */
export const http2Refused: Readonly<Record<string, Http2RefusedCase>> = {
  ...refused("reset", {
    "a field of one connection": [...get, ["connection", "keep-alive"]],
    "Transfer-Encoding": [...upload, ["transfer-encoding", "chunked"]],
    "Proxy-Connection": [...get, ["proxy-connection", "keep-alive"]],
    "Keep-Alive": [...get, ["keep-alive", "timeout=5"]],
    Upgrade: [...get, ["upgrade", "h2c"]],
    "TE for another coding": [...get, ["te", "gzip"]],
    "Connection of close": [...get, ["connection", "close"]],
    "a status in a request": [...get, [":status", "200"]],
    "a protocol without CONNECT": [...get, [":protocol", "websocket"]],
    "two lengths": [...upload, ["content-length", "0"], ["content-length", "1"]],
    "a length of letters": [...upload, ["content-length", "five"]],
    "a name in capitals": [...get, ["X-A", "b"]],
    "a path with a line break": [
      method,
      scheme,
      authority,
      [":path", "/ HTTP/1.1\r\nhost: other.example\r\n\r\nGET /smuggled"],
    ],
    "a path with a NUL": [method, scheme, authority, [":path", "/a\0b"]],
    "an empty path": [method, scheme, authority, [":path", ""]],
    "a path without a slash": [method, scheme, authority, [":path", "smuggled"]],
    "no path": [method, scheme, authority],
    "two paths": [...get, [":path", "/b"]],
    "no method": [scheme, authority, path],
    "two methods": [method, ...get],
    "an empty method": [[":method", ""], scheme, authority, path],
    "a method with a space": [[":method", "GET /smuggled HTTP/1.1"], scheme, authority, path],
    "a method with a line break": [[":method", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET"], scheme, authority, path],
    "no scheme": [method, authority, path],
    "two authorities": [...get, authority],
    "no authority and no Host": [method, scheme, path],
    "an authority beside another Host": [...get, ["host", "other.example"]],
    "an authority with a line break": [method, scheme, path, [":authority", "NAME\r\nx: y"]],
    "an authority with a user": [method, scheme, path, [":authority", "a@NAME"]],
    "an authority with a path": [method, scheme, path, [":authority", "NAME/a"]],
    "a pseudo-field behind a field": [method, scheme, authority, ["x", "y"], path],
    "an unknown pseudo-field": [...get, [":own", "x"]],
    "a pseudo-field of answers": [...get, [":status", "200"]],
    "two different lengths": [...upload, ["content-length", "3"], ["content-length", "5"]],
    "a length that is none": [...upload, ["content-length", "+3"]],
    "a length that never comes": [...upload, ["content-length", "3"]],
    "CONNECT with a path": [[":method", "CONNECT"], scheme, authority, path],
  }),
  "a length that is too small": { head: [...upload, ["content-length", "1"]], body: "hello", refusal: "reset" },
  "a length that is too large": { head: [...upload, ["content-length", "9"]], body: "hello", refusal: "reset" },
  "a length of zero with a body": { head: [...upload, ["content-length", "0"]], body: "hello", refusal: "reset" },
  "a pseudo-field among trailers": { head: upload, body: "hello", trailers: [[":path", "/b"]], refusal: "reset" },
  "a trailer in capitals": { head: upload, body: "hello", trailers: [["X-Sum", "1"]], refusal: "reset" },
  "a trailer with a line break": { head: upload, body: "hello", trailers: [["x", "a\r\nb"]], refusal: "dropped" },
  ...refused("dropped", {
    "a name with a tab": [...get, ["x\ta", "b"]],
    "a name in latin1": [...get, ["x\xfc", "b"]],
    "a value with an escape": [...get, ["x", "a\x1bb"]],
    "a value with DEL": [...get, ["x", "a\x7fb"]],
    "a name with a colon": [...get, ["x:a", "b"]],
    "a name with a space": [...get, ["x a", "b"]],
    "an empty name": [...get, ["", "b"]],
    "a name with a line break": [...get, ["x: y\r\ntransfer-encoding", "chunked"]],
    "a value with a line break": [...get, ["x", "a\r\ntransfer-encoding: chunked"]],
    "a value with a line feed": [...get, ["x", "a\nb: c"]],
    "a value with a carriage return": [...get, ["x", "a\rb"]],
    "a value with a NUL": [...get, ["x", "a\0b"]],
  }),
  ...refused(421, {
    "an authority that is not ours": [method, scheme, path, [":authority", "other.example"]],
    "a Host that is not ours": [method, scheme, path, ["host", "other.example"]],
    "an authority of localhost": [method, scheme, path, [":authority", "localhost"]],
    "an authority that begins as ours": [method, scheme, path, [":authority", "SITE.evil.example"]],
  }),
  ...refused(400, {
    "a fragment": [method, scheme, authority, [":path", "/a#b"]],
    "an authority of an address": [method, scheme, path, [":authority", "127.0.0.1:80"]],
    "a path with latin1": [method, scheme, authority, [":path", "/admin\x85"]],
    "a method of digits": [[":method", "G3T"], scheme, authority, path],
    "a method with a lower-case letter": [[":method", "gET"], scheme, authority, path],
  }),
};
