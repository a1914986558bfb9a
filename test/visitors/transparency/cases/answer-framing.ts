import { chunked, closing, raw, sized, type AnswerCases } from "./answer-case.ts";

const large = "0123456789abcdef".repeat(20_000);

/** How answers say where they end (RFC 9112 6). */
export const answerFraming: AnswerCases = {
  "a length": sized(""),
  "a length of zero": sized("", ""),
  "a length with leading zeros": raw("HTTP/1.1 200 OK\r\nContent-Length: 0005\r\n\r\nhello"),
  "a large body with a length": sized("Content-Type: application/octet-stream\r\n", large),
  "a body of all bytes": sized("", String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code))),
  chunks: chunked("", ["hel", "lo"]),
  "one chunk": chunked("", ["hello"]),
  "no chunk but the last": chunked("", []),
  "a large body in chunks": chunked("", [large.slice(0, 100_000), large.slice(100_000)]),
  "many small chunks": chunked("", Array.from({ length: 2_000 }, () => "x")),
  "chunk sizes in capitals": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n"),
  "chunk sizes with leading zeros": raw(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0005\r\nhello\r\n000\r\n\r\n",
  ),
  "chunk extensions": raw(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;name=value;other="x y"\r\nhello\r\n0;last\r\n\r\n',
  ),
  "the coding in capitals": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
  "a chunk that looks like the end": chunked("", ["0\r\n\r\n", "more"]),
  "the end of the connection": closing(""),
  "the end of the connection, announced": closing("Connection: close\r\n"),
  "the end of the connection without a body": closing("", ""),
  "the end of the connection after a large body": closing("", large),
  "a length and the end of the connection": { ...sized("Connection: close\r\n"), end: "close" },
  "chunks and the end of the connection": { ...chunked("Connection: close\r\n", ["hello"]), end: "close" },
  "an announced end that does not come": sized("Connection: close\r\n"),
  "one trailer": chunked("Trailer: X-Sum\r\n", ["hello"], "X-Sum: 1\r\n"),
  "an unannounced trailer": chunked("", ["hello"], "X-Sum: 1\r\n"),
  "several trailers": chunked("", ["hello"], "X-Sum: 1\r\nX-Other: 2\r\nX-Sum: 3\r\n"),
  "an empty trailer": chunked("", ["hello"], "X-Sum:\r\n"),
  "a trailer in utf-8": chunked("", ["hello"], "X-Sum: gr\xc3\xbc\xc3\x9fe\r\n"),
  "trailers without a body": chunked("", [], "Grpc-Status: 5\r\nGrpc-Message: not%20found\r\n"),
  "trailers that may only stand in a head": chunked("", ["hello"], "Content-Length: 7\r\nX-Sum: 1\r\n"),
  "HEAD with a length": { ...raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\nX-A: b\r\n\r\n"), method: "HEAD" },
  "HEAD with chunks": { ...raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), method: "HEAD" },
  "HEAD without framing": { ...raw("HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n"), method: "HEAD" },
  "HEAD with a length of zero": { ...raw("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), method: "HEAD" },
  "HEAD that is not found": { ...raw("HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\n"), method: "HEAD" },
  "204 without framing": raw("HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n"),
  "204 with a length of zero": raw("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
  "204 to DELETE": { ...raw("HTTP/1.1 204 No Content\r\n\r\n"), method: "DELETE" },
  "204 to OPTIONS": { ...raw("HTTP/1.1 204 No Content\r\nAllow: GET, PUT\r\n\r\n"), method: "OPTIONS" },
  "205 with a length of zero": sized("", "", "205 Reset Content"),
  "304 without framing": raw('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'),
  "304 with the length of the body": raw('HTTP/1.1 304 Not Modified\r\nETag: W/"a"\r\nContent-Length: 500\r\n\r\n'),
  "304 with chunks": raw("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n"),
  "HTTP/1.0 with a length": { ...sized("", "hello"), bytes: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", end: "close" },
  "HTTP/1.0 without framing": closing("", "hello", "HTTP/1.0 200 OK"),
  "HTTP/1.0 that keeps the connection": raw(
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello",
  ),
  "HTTP/1.0 in chunks": raw(
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "close",
  ),
  "HTTP/1.0 without a reason": closing("", "hello", "HTTP/1.0 200 "),
  "100 before the answer": raw(`HTTP/1.1 100 Continue\r\n\r\n${sized("").bytes}`),
  "102 before the answer": raw(`HTTP/1.1 102 Processing\r\n\r\n${sized("").bytes}`),
  "several 102": raw(`${"HTTP/1.1 102 Processing\r\n\r\n".repeat(3)}${sized("").bytes}`),
  "103 with a link": raw(
    `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; as=style\r\n\r\n${sized("").bytes}`,
  ),
  "103 with several links": raw(
    `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n${sized("").bytes}`,
  ),
  "103 with a policy": raw(
    `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nContent-Security-Policy: style-src 'self'\r\n\r\n${sized("").bytes}`,
  ),
  "103 twice": raw(
    `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b.js>; rel=preload\r\n\r\n${sized("").bytes}`,
  ),
  "103 before an error": raw(
    `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${sized("", "gone", "500 Internal Server Error").bytes}`,
  ),
  "103 without fields": raw(`HTTP/1.1 103 Early Hints\r\n\r\n${sized("").bytes}`),
  "104 with a field": raw(`HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /up/1\r\n\r\n${sized("").bytes}`),
  "199 that nobody knows": raw(`HTTP/1.1 199 Whatever\r\nX-A: b\r\n\r\n${sized("").bytes}`),
};
