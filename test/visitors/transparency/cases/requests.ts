import { oddRequests } from "./requests-odd.ts";
import type { RequestCases } from "./request-case.ts";

const bodiless = [
  ...["GET", "HEAD", "OPTIONS", "DELETE", "TRACE", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "PROPFIND", "PROPPATCH"],
  ...["REPORT", "SEARCH", "PURGE", "BIND", "REBIND", "UNBIND", "ACL", "MKACTIVITY", "CHECKOUT", "MERGE", "NOTIFY"],
  ...["SUBSCRIBE", "UNSUBSCRIBE", "MKCALENDAR", "LINK", "UNLINK", "SOURCE", "M-SEARCH"],
];
const withBody = [
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "GET",
  "OPTIONS",
  "PROPFIND",
  "PROPPATCH",
  "REPORT",
  "LOCK",
  "QUERY",
];
const xml = '<?xml version="1.0"?><propfind xmlns="DAV:"><allprop/></propfind>';

const methods: RequestCases = {
  ...Object.fromEntries(bodiless.map((method) => [`${method} without a body`, { method }])),
  ...Object.fromEntries(
    ["POST", "PUT", "PATCH"].map((method) => [`${method} with an empty body`, { method, body: "" }]),
  ),
  ...Object.fromEntries(withBody.map((method) => [`${method} with a length`, { method, body: xml }])),
  ...Object.fromEntries(
    ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"].map((method) => [
      `${method} in chunks`,
      { method, body: xml, framing: "chunked" as const },
    ]),
  ),
  "POST in chunks of nothing": { method: "POST", body: "", framing: "chunked" },
  "a DELETE that HTTP/2 ends with an empty frame": { method: "DELETE", only: "HTTP/2", body: "" },
  "a GET that HTTP/2 ends with an empty frame": { only: "HTTP/2", body: "" },
  "a MKCOL that HTTP/2 ends with an empty frame": { method: "MKCOL", only: "HTTP/2", body: "" },
  "a body of all bytes": {
    method: "POST",
    body: String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code)),
  },
  "a large body with a length": { method: "PUT", body: "0123456789abcdef".repeat(30_000) },
  "a large body in chunks": { method: "PUT", body: "0123456789abcdef".repeat(30_000), framing: "chunked" },
  "a trailer": { method: "POST", body: "hello", framing: "chunked", trailers: [["X-Sum", "1"]] },
  "several trailers": {
    method: "POST",
    body: "hello",
    framing: "chunked",
    trailers: [
      ["X-Sum", "1"],
      ["X-Other", "2"],
    ],
  },
  "an announced trailer": {
    method: "POST",
    body: "hello",
    framing: "chunked",
    fields: [["Trailer", "X-Sum"]],
    trailers: [["X-Sum", "1"]],
  },
  "a length in odd digits": { method: "POST", lines: "Content-Length: 0005\r\n\r\nhello", only: "HTTP/1.1" },
};

const targets: RequestCases = Object.fromEntries(
  Object.entries({
    "a path": "/a/b.c",
    "an empty query": "/a?",
    "a query": "/a?b=c&d=e&b=f",
    "a query of odd letters": "/a?b[]=1&c={d}|e^f`\"'<>",
    "a query with a question mark": "/a?b?c",
    "a plus and an encoded plus": "/a+b?c+d=%2B",
    "double slashes": "//a//b",
    "three slashes": "///",
    "dot segments": "/a/./b/../c",
    "dot segments above the root": "/../../etc/passwd",
    "encoded dot segments": "/a/%2e%2e/b",
    "an encoded slash": "/a%2Fb%2fc",
    "an encoded percent": "/a%25b",
    "an encoded NUL": "/a%00b",
    "a lone percent": "/a%b",
    "a percent at the end": "/a%",
    "hex digits that are none": "/a%zz",
    "encoded letters": "/%61%62%63",
    "percent forms in both cases": "/%C3%bc%c3%BC",
    "encoded utf-8": "/gr%C3%BC%C3%9Fe?b=%E2%82%AC",
    "encoded latin1": "/gr%FC%DFe",
    "a backslash": "/a\\b",
    "an encoded backslash": "/a%5Cb",
    "a semicolon": "/a;b=c/d;e",
    "a colon and an at": "/a:b@c",
    "braces and bars": "/{a}|b^c",
    "a tilde, stars and quotes": "/~a/*/'b'/(c)!$&,=",
    "a url in the path": "/http://other.example/a",
    "an encoded fragment": "/a%23b",
    "an encoded space": "/a%20b?c%20d",
    "a long path": `/${"a".repeat(4_000)}`,
    "a long query": `/?${"a=b&".repeat(1_500)}`,
  }).map(([name, target]) => [name, { target }]),
);

const forms: RequestCases = {
  "raw utf-8 in a target": { target: "/gr\xc3\xbc\xc3\x9fe?b=\xe2\x82\xac", only: "HTTP/2" },
  "the asterisk form": { method: "OPTIONS", target: "*", only: "HTTP/1.1" },
  "the absolute form": { target: "https://NAME/a?b", only: "HTTP/1.1" },
  "the absolute form without a path": { target: "http://NAME", only: "HTTP/1.1" },
  "the absolute form with a query only": { target: "http://NAME?a", only: "HTTP/1.1" },
};

function numbered(count: number, value: string): [string, string][] {
  return Array.from({ length: count }, (_, index) => [`X-Field-${index}`, value]);
}

const fields: RequestCases = {
  "one cookie": { fields: [["Cookie", "a=b; c=d"]] },
  "a cookie of odd letters": { fields: [["Cookie", 'a="b, c"; d={"e":1}; =f; g']] },
  "a cookie of 16 KB": { fields: [["Cookie", `a=${"b".repeat(16_000)}`]] },
  "cookies in several fields": {
    fields: [
      ["Cookie", "a=b"],
      ["X-Between", "1"],
      ["Cookie", "c=d"],
    ],
  },
  "180 cookies, a field each": { fields: Array.from({ length: 180 }, (_, i) => ["Cookie", `c${i}=v`]), only: "HTTP/2" },
  "140 fields": { fields: numbered(140, "v") },
  "400 fields": { fields: numbered(400, "v") },
  "20 KB in fields": { fields: numbered(20, "v".repeat(1_000)) },
  "a field of 20 KB": { fields: [["Authorization", `Negotiate ${"a".repeat(20_000)}`]] },
  "repeated fields": {
    fields: [
      ["Accept", "text/html"],
      ["Accept", "*/*;q=0.1"],
      ["X-A", "1"],
      ["Accept-Language", "de"],
      ["X-A", "2"],
      ["Via", "1.1 a"],
      ["Via", "1.0 b"],
    ],
  },
  "fields twice that may stand once": {
    fields: [
      ["Authorization", "Basic YTpi"],
      ["Authorization", "Bearer x"],
      ["User-Agent", "a"],
      ["User-Agent", "b"],
      ["Vary", "kept"],
      ["Vary", "too"],
    ],
  },
  "an empty value": { fields: [["X-Empty", ""]] },
  "a value in utf-8": { fields: [["X-A", "gr\xc3\xbc\xc3\x9fe \xe2\x82\xac"]] },
  "a value in latin1": { fields: [["X-A", "gr\xfc\xdfe"]] },
  "bytes above 127": { fields: [["X-A", String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i))]] },
  "a tab in a value": { fields: [["X-A", "a\tb"]] },
  "quotes and backslashes": { fields: [["If-None-Match", 'W/"a\\"b", "c"']] },
  "every letter that a name may have": { fields: [["x-!#$%&'*+-.^_`|~09az", "v"]] },
  "names like properties of every object": {
    fields: [
      ["constructor", "1"],
      ["__proto__", "2"],
      ["tostring", "3"],
    ],
  },
  "names in odd spellings": {
    only: "HTTP/1.1",
    fields: [
      ["x-LOWER-Upper", "v"],
      ["CONTENT-TYPE", "a/b"],
      ["accept", "*/*"],
    ],
  },
  "no space after the colon": { lines: "X-A:b\r\n", only: "HTTP/1.1" },
  "white space around a value": { lines: "X-A: \t b \t\r\n", only: "HTTP/1.1" },
  "the order of fields": {
    only: "HTTP/1.1",
    fields: [
      ["B", "1"],
      ["A", "2"],
      ["C", "3"],
      ["B", "4"],
    ],
  },
  "what a browser sends": {
    fields: [
      ["user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"],
      ["accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"],
      ["sec-fetch-site", "none"],
      ["sec-fetch-mode", "navigate"],
      ["sec-ch-ua", '"Chromium";v="125", "Not.A/Brand";v="24"'],
      ["upgrade-insecure-requests", "1"],
      ["accept-encoding", "gzip, deflate, br, zstd"],
      ["priority", "u=0, i"],
      ["dnt", "1"],
    ],
  },
  "a range": { fields: [["Range", "bytes=0-4,10-"]] },
  "a conditional range": {
    fields: [
      ["Range", "bytes=5-"],
      ["If-Range", '"a"'],
    ],
  },
  "a condition on a date": { fields: [["If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT"]] },
  "a content type with a boundary": {
    method: "POST",
    fields: [["Content-Type", 'multipart/form-data; boundary="a b"']],
    body: '--a b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--a b--\r\n',
  },
  "a content coding": { method: "POST", fields: [["Content-Encoding", "gzip"]], body: "\x1f\x8b\x08" },
  "a foreign origin": {
    fields: [
      ["Origin", "https://other.example"],
      ["Referer", "https://other.example/a"],
    ],
  },
  "a null origin": { fields: [["Origin", "null"]] },
  "an own origin": {
    fields: [
      ["Origin", "https://NAME"],
      ["Referer", "https://NAME/a?b"],
    ],
  },
  "a preflight": {
    method: "OPTIONS",
    fields: [
      ["Origin", "https://other.example"],
      ["Access-Control-Request-Method", "PUT"],
      ["Access-Control-Request-Headers", "x-a, x-b"],
    ],
  },
  "fields of WebDAV": {
    method: "MOVE",
    fields: [
      ["Destination", "https://NAME/b%20c"],
      ["Depth", "infinity"],
      ["Overwrite", "F"],
      ["If", '(<urn:uuid:a> ["b"])'],
    ],
  },
  "fields of a webhook": {
    method: "POST",
    fields: [
      ["X-Hub-Signature-256", "sha256=a"],
      ["Stripe-Signature", "t=1,v1=a"],
      ["X-GitHub-Event", "push"],
    ],
    body: '{ "a": 1 }',
  },
  "TE for trailers": { fields: [["TE", "trailers"]] },
  "Max-Forwards": { method: "OPTIONS", fields: [["Max-Forwards", "5"]] },
  "Via of another proxy": { fields: [["Via", "1.1 other"]] },
  "forged addresses": {
    fields: [
      ["X-Forwarded-For", "1.1.1.1"],
      ["X-Forwarded-Proto", "http"],
      ["X-Forwarded-Prefix", "/a"],
      ["Forwarded", "for=1.1.1.1"],
      ["X-Real-IP", "1.1.1.1"],
      ["X_Forwarded_For", "1.1.1.1"],
    ],
  },
  "fields of one connection": {
    lines: "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-Stays: 2\r\n",
    only: "HTTP/1.1",
  },
  "Proxy-Connection": { lines: "Proxy-Connection: keep-alive\r\n", only: "HTTP/1.1" },
  "an offer of h2c": {
    lines: "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    only: "HTTP/1.1",
  },
  "the end of the connection": { lines: "Connection: close\r\n", only: "HTTP/1.1" },
  "HTTP/1.0": { version: "HTTP/1.0", only: "HTTP/1.1" },
  "HTTP/1.0 that keeps the connection": { version: "HTTP/1.0", lines: "Connection: keep-alive\r\n", only: "HTTP/1.1" },
  "HTTP/1.0 with a body": { version: "HTTP/1.0", method: "POST", body: "hello", only: "HTTP/1.1" },
};

/** Requests that reach the service as they are. */
export const requests: Readonly<Record<string, RequestCases>> = {
  "methods and bodies": methods,
  targets: { ...targets, ...forms },
  "fields of requests": fields,
  "requests of scripts and old clients": oddRequests,
};
