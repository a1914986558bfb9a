import { chunked, sized, type AnswerCases } from "./answer-case.ts";

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${line(index)}\r\n`).join("");
}

/** Fields that stand more than once when application and framework both set them. */
const repeated = {
  Vary: ["Origin", "Accept-Encoding"],
  "WWW-Authenticate": ["Negotiate", 'Basic realm="x, y"'],
  Link: ["</a.css>; rel=preload", "</b.js>; rel=preload"],
  "Content-Security-Policy": ["default-src 'self'", "script-src 'none'"],
  "Cache-Control": ["no-cache", "private"],
  "Server-Timing": ["db;dur=5", "app;dur=10"],
  Warning: ['199 - "a"', '299 - "b"'],
  Allow: ["GET", "HEAD"],
  "Accept-Ranges": ["bytes", "none"],
  "Access-Control-Expose-Headers": ["X-A", "X-B"],
  "Content-Language": ["de", "en"],
  "Content-Encoding": ["identity", "identity"],
  "Proxy-Authenticate": ["Basic", "Digest realm=x"],
  "Clear-Site-Data": ['"cache"', '"cookies"'],
  "X-Custom": ["1", "2", "1"],
} as const;

/** Fields that may stand once (RFC 9110 5.3), and stand twice in real answers. */
const doubled = {
  "Content-Type": ["text/plain", "text/html"],
  Date: ["Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 02 Jan 1970 00:00:00 GMT"],
  ETag: ['"a"', '"b"'],
  Location: ["/a", "/b"],
  Age: ["1", "2"],
  Expires: ["0", "-1"],
  "Last-Modified": ["Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:01 GMT"],
  "X-Content-Type-Options": ["nosniff", "nosniff"],
  "X-Frame-Options": ["DENY", "SAMEORIGIN"],
  "Access-Control-Allow-Origin": ["*", "https://a.example"],
  "Access-Control-Allow-Credentials": ["true", "true"],
  "Access-Control-Max-Age": ["1", "2"],
  "Content-Range": ["bytes 0-4/10", "bytes 0-4/10"],
  "Content-Disposition": ["inline", "attachment"],
  "Retry-After": ["1", "2"],
  Server: ["a", "b"],
  "Strict-Transport-Security": ["max-age=1", "max-age=2"],
  "Referrer-Policy": ["no-referrer", "origin"],
  "Content-Location": ["/a", "/b"],
  Upgrade: ["h2c", "websocket"],
} as const;

const repetitions: AnswerCases = Object.fromEntries(
  Object.entries({ ...repeated, ...doubled }).map(([name, values]) => [
    `${name} ${values.length} times`,
    sized(`Vary: Accept\r\nVary: Origin\r\n${values.map((value) => `${name}: ${value}\r\n`).join("X-Between: 1\r\n")}`),
  ]),
);

/** What answers say about themselves. */
export const answerFields: AnswerCases = {
  ...repetitions,
  "cookies of three kinds": sized(
    "Set-Cookie: a=1; Path=/; HttpOnly\r\nSet-Cookie: b=2; Secure; SameSite=None; Partitioned\r\nSet-Cookie: c=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT\r\n",
  ),
  "a cookie with everything in its value": sized('Set-Cookie: a="x, y=z"; Path=/\r\nSet-Cookie: b={"c":[1,2]}\r\n'),
  "cookies of another domain": sized("Set-Cookie: a=1; Domain=example.com\r\nSet-Cookie: b=2; Domain=.example.com\r\n"),
  "a quoted domain that is no attribute": sized('Set-Cookie: a="x; Domain=other.example; y"\r\n'),
  "200 cookies": sized(lines(200, (i) => `Set-Cookie: c${i}=${"v".repeat(20)}; Path=/`)),
  "900 cookies": sized(lines(900, (i) => `Set-Cookie: c${i}=v`)),
  "150 fields": sized(lines(150, (i) => `X-Field-${i}: ${i}`)),
  "1000 fields": sized(lines(1_000, (i) => `X-Field-${i}: ${i}`)),
  "a field of 8 KB": sized(`X-Large: ${"a".repeat(8_000)}\r\n`),
  "a field of 15 KB": sized(`Content-Security-Policy: ${"a".repeat(15_000)}\r\n`),
  "a field of 60 KB": sized(`X-Large: ${"a".repeat(60_000)}\r\n`),
  "60 KB in many fields": sized(lines(60, (i) => `X-Field-${i}: ${"a".repeat(1_000)}`)),
  "a name of 200 letters": sized(`X-${"n".repeat(200)}: v\r\n`),
  "an empty value": sized("X-Empty:\r\n"),
  "an empty value among others": sized("X-Empty:\r\nX-Empty: a\r\nX-Empty:\r\n"),
  "a value of white space": sized("X-Empty:   \t \r\n"),
  "no space after the colon": sized("X-A:b\r\n"),
  "white space around the value": sized("X-A: \t b  c \t\r\n"),
  "a tab in the value": sized("X-A: b\tc\r\n"),
  "a value in utf-8": sized("X-A: gr\xc3\xbc\xc3\x9fe \xe2\x82\xac\r\n"),
  "a value in latin1": sized("X-A: gr\xfc\xdfe\r\n"),
  "bytes above 127": sized(`X-A: ${String.fromCharCode(...Array.from({ length: 128 }, (_, i) => 128 + i))}\r\n`),
  "a file name in utf-8": sized('Content-Disposition: attachment; filename="gr\xc3\xbc\xc3\x9fe.txt"\r\n'),
  "a file name in both ways": sized(
    "Content-Disposition: attachment; filename=\"a.txt\"; filename*=UTF-8''gr%C3%BC.txt\r\n",
  ),
  "quotes, commas and backslashes": sized('X-A: "a, \\"b\\"", c\\d\r\n'),
  "every letter that a name may have": sized("X-!#$%&'*+-.^_`|~09azAZ: v\r\n"),
  "underscores in a name": sized("X_Under_Score: v\r\n"),
  "digits as a name": sized("404: v\r\n"),
  "names in odd spellings": sized('x-LOWER-Upper: v\r\nCONTENT-TYPE: text/plain\r\netag: "a"\r\n'),
  "names like properties of every object": sized(
    "Constructor: 1\r\n__proto__: 2\r\ntoString: 3\r\nhasOwnProperty: 4\r\n",
  ),
  "the order of fields": sized("B: 1\r\nA: 2\r\nC: 3\r\nB: 4\r\nA: 5\r\n"),
  "fields that belong to one connection": sized("Connection: keep-alive\r\nKeep-Alive: timeout=5, max=100\r\n"),
  "a field that Connection names": sized("Connection: X-Hop, keep-alive\r\nX-Hop: 1\r\nX-Stays: 2\r\n"),
  "Connection in two fields": sized("Connection: X-Hop\r\nConnection: keep-alive\r\nX-Hop: 1\r\n"),
  "Proxy-Connection": sized("Proxy-Connection: keep-alive\r\n"),
  "an offer to upgrade": sized("Connection: Upgrade\r\nUpgrade: h2c\r\n"),
  "a date of the service": sized("Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
  "no date": sized("Server: embedded\r\n"),
  "Via of another proxy": sized("Via: 1.1 other, 1.0 older\r\n"),
  "Alt-Svc": sized('Alt-Svc: h3=":443"; ma=86400\r\n'),
  "Strict-Transport-Security": sized("Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n"),
  "Trailer without trailers": sized("Trailer: X-Sum\r\n"),
  "TE in an answer": sized("TE: trailers\r\n"),
  "Host in an answer": sized("Host: other.example\r\n"),
  "Expect in an answer": sized("Expect: 100-continue\r\n"),
  "X-Forwarded-For in an answer": sized("X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n"),
  "CORS for any origin": sized("Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: false\r\n"),
  "a content type with parameters": sized('Content-Type: multipart/mixed; boundary="a b"; charset=UTF-8\r\n'),
  "an unknown content coding": sized("Content-Encoding: x-own\r\n"),
  "a relative location": sized("Location: ../b?c=d#e\r\n", "", "302 Found"),
  "a location elsewhere": sized("Location: https://other.example/a%20b?c=%C3%BC\r\n", "", "301 Moved Permanently"),
  "a location with raw utf-8": sized("Location: /gr\xc3\xbc\xc3\x9fe\r\n", "", "302 Found"),
  "a refresh": sized("Refresh: 5; url=/b\r\n"),
  "digests and signatures": sized(
    "Content-MD5: XrY7u+Ae7tCTyyK7j1rNww==\r\nDigest: SHA-256=x\r\nRepr-Digest: sha-256=:x:\r\nSignature: sig1=:x:\r\n",
  ),
  "fields of an API": sized(
    "X-RateLimit-Limit: 60\r\nX-Request-Id: a\r\nDeprecation: true\r\nSunset: Sat, 31 Dec 2022 23:59:59 GMT\r\nPreference-Applied: return=minimal\r\nDAV: 1, 2\r\n",
  ),
  "an event stream": chunked(
    "Content-Type: text/event-stream\r\nCache-Control: no-cache\r\nX-Accel-Buffering: no\r\n",
    ["data: a\n\n", ": comment\n\n"],
  ),
  "gRPC over HTTP/1.1": chunked("Content-Type: application/grpc-web\r\n", ["\0\0\0\0\x01x"], "grpc-status: 0\r\n"),
};
