import type { Field, Inform } from "../messages.ts";

/** What a service of HTTP/2 answers. */
export interface Http2Answer {
  readonly method?: string;
  readonly informs?: readonly Inform[];
  /** Absent where the stream ends without an answer. */
  readonly status?: number;
  readonly fields?: readonly Field[];
  /** Absent where the head ends the stream. */
  readonly body?: readonly string[];
  readonly trailers?: readonly Field[];
  /** How the stream ends after the body; in order when absent. */
  readonly reset?: "NO_ERROR" | "CANCEL" | "INTERNAL_ERROR" | "REFUSED_STREAM" | "ENHANCE_YOUR_CALM";
  /** The whole connection ends. */
  readonly leaves?: true;
}

function numbered(count: number, name: (index: number) => string): Field[] {
  return Array.from({ length: count }, (_, index) => [name(index), `${index}=v`]);
}

const grpc: Field = ["content-type", "application/grpc"];

export const http2Answers: Readonly<Record<string, Http2Answer>> = {
  "a body": { status: 200, fields: [["content-type", "text/plain"]], body: ["hello"] },
  "a body with a length": { status: 200, fields: [["content-length", "5"]], body: ["hello"] },
  "a body in several frames": { status: 200, body: ["one", "two", "three"] },
  "a large body": { status: 200, body: Array.from({ length: 20 }, () => "0123456789abcdef".repeat(1_500)) },
  "an empty body": { status: 200, body: [] },
  "a head that ends the stream": { status: 200 },
  "a length of zero": { status: 200, fields: [["content-length", "0"]] },
  "404": { status: 404, body: ["not here"] },
  "500": { status: 500, body: ["broken"] },
  "599": { status: 599, body: ["own"] },
  "201 with a location": { status: 201, fields: [["location", "/a"]] },
  "302 elsewhere": { status: 302, fields: [["location", "https://other.example/a"]] },
  "204": { status: 204 },
  "205": { status: 205, fields: [["content-length", "0"]] },
  "304": { status: 304, fields: [["etag", '"a"']] },
  HEAD: { method: "HEAD", status: 200, fields: [["content-type", "text/plain"]] },
  "HEAD with a length": { method: "HEAD", status: 200, fields: [["content-length", "500"]] },
  "204 to DELETE": { method: "DELETE", status: 204 },
  "103 before the answer": {
    informs: [{ status: 103, fields: [["link", "</a.css>; rel=preload"]] }],
    status: 200,
    body: ["hello"],
  },
  "102 before the answer": { informs: [{ status: 102, fields: [] }], status: 200, body: ["hello"] },
  "several 1xx": {
    informs: [
      { status: 102, fields: [] },
      { status: 103, fields: [["link", "</a>; rel=preload"]] },
      { status: 103, fields: [["link", "</b>; rel=preload"]] },
    ],
    status: 200,
    body: ["hello"],
  },
  cookies: {
    status: 200,
    fields: [
      ["set-cookie", "a=1; Path=/"],
      ["set-cookie", "b=2; Secure"],
    ],
    body: ["hello"],
  },
  "repeated fields": {
    status: 200,
    fields: [
      ["vary", "origin"],
      ["x-between", "1"],
      ["vary", "accept"],
      ["www-authenticate", "Negotiate"],
      ["www-authenticate", 'Basic realm="x"'],
    ],
    body: ["hello"],
  },
  "100 fields": { status: 200, fields: numbered(100, (i) => `x-field-${i}`), body: ["hello"] },
  "200 cookies": { status: 200, fields: numbered(200, () => "set-cookie"), body: ["hello"] },
  "500 fields": { status: 200, fields: numbered(500, (i) => `x-field-${i}`), body: ["hello"] },
  "a field of 15 KB": { status: 200, fields: [["x-large", "a".repeat(15_000)]], body: ["hello"] },
  "a field of 60 KB": { status: 200, fields: [["x-large", "a".repeat(60_000)]], body: ["hello"] },
  "an empty value": { status: 200, fields: [["x-empty", ""]], body: ["hello"] },
  "a value in utf-8": { status: 200, fields: [["x-a", "gr\xc3\xbc\xc3\x9fe"]], body: ["hello"] },
  "names like properties of every object": {
    status: 200,
    fields: [
      ["constructor", "1"],
      ["__proto__", "2"],
    ],
    body: ["hello"],
  },
  trailers: { status: 200, body: ["hello"], trailers: [["x-sum", "1"]] },
  "several trailers": {
    status: 200,
    body: ["hello"],
    trailers: [
      ["x-sum", "1"],
      ["x-other", "2"],
      ["x-sum", "3"],
    ],
  },
  "a call of gRPC": {
    method: "POST",
    status: 200,
    fields: [grpc],
    body: ["\0\0\0\0\x01x"],
    trailers: [["grpc-status", "0"]],
  },
  "a failed call of gRPC": {
    method: "POST",
    status: 200,
    fields: [grpc],
    body: [],
    trailers: [
      ["grpc-status", "5"],
      ["grpc-message", "nicht%20gefunden 100%25"],
      ["grpc-status-details-bin", "CAUSBW5lbg"],
    ],
  },
  "a call of gRPC that fails in its head": { method: "POST", status: 200, fields: [grpc, ["grpc-status", "12"]] },
  "a reset before the answer": { reset: "INTERNAL_ERROR" },
  "a cancelled stream before the answer": { reset: "CANCEL" },
  "a stream that ends before the answer": { reset: "NO_ERROR" },
  "calm before the answer": { reset: "ENHANCE_YOUR_CALM" },
  "the end of the connection before the answer": { leaves: true },
  "a reset in the body": { status: 200, body: ["hello"], reset: "INTERNAL_ERROR" },
  "a cancelled stream in the body": { status: 200, body: ["hello"], reset: "CANCEL" },
  "a reset in a body with a length": {
    status: 200,
    fields: [["content-length", "10"]],
    body: ["hello"],
    reset: "CANCEL",
  },
  "the end of the connection in the body": { status: 200, body: ["hello"], leaves: true },
};
