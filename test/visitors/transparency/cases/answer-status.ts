import { raw, sized, type AnswerCases } from "./answer-case.ts";

const statuses = [
  ...["201 Created", "202 Accepted", "203 Non-Authoritative Information", "207 Multi-Status", "208 Already Reported"],
  ...[
    "226 IM Used",
    "299 Own",
    "300 Multiple Choices",
    "303 See Other",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
  ],
  ...["400 Bad Request", "401 Unauthorized", "402 Payment Required", "403 Forbidden", "404 Not Found"],
  ...["405 Method Not Allowed", "407 Proxy Authentication Required", "408 Request Timeout", "409 Conflict", "410 Gone"],
  ...["412 Precondition Failed", "413 Content Too Large", "415 Unsupported Media Type", "416 Range Not Satisfiable"],
  ...[
    "417 Expectation Failed",
    "418 I'm a teapot",
    "421 Misdirected Request",
    "422 Unprocessable Content",
    "423 Locked",
  ],
  ...["425 Too Early", "426 Upgrade Required", "428 Precondition Required", "429 Too Many Requests", "431 Too Large"],
  ...["451 Unavailable For Legal Reasons", "499 Own", "500 Internal Server Error", "501 Not Implemented"],
  ...["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout", "505 Version", "507 Insufficient Storage"],
  ...["511 Network Authentication Required", "599 Own"],
] as const;

/** The first line of answers. */
export const answerStatus: AnswerCases = {
  ...Object.fromEntries(statuses.map((status) => [`the status ${status}`, sized("", "hello", status)])),
  "a status of 600": sized("", "hello", "600 Beyond"),
  "a status of 999": sized("", "hello", "999 Request denied"),
  "a reason of one's own": sized("", "hello", "200 Everything is fine, really: yes"),
  "an empty reason": raw("HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello"),
  "no reason and no space": raw("HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello"),
  "a reason in utf-8": sized("", "hello", "404 nicht gefunden \xc3\xbc"),
  "a reason in latin1": sized("", "hello", "404 nicht gefunden \xfc"),
  "a long reason": sized("", "hello", `500 ${"why ".repeat(200)}end`),
  "a reason with a tab": sized("", "hello", "500 a\tb"),
  "206 with a range": sized("Content-Range: bytes 0-4/10\r\nAccept-Ranges: bytes\r\n", "hello", "206 Partial Content"),
  "206 with several ranges": sized(
    "Content-Type: multipart/byteranges; boundary=x\r\n",
    "--x\r\nContent-Range: bytes 0-1/10\r\n\r\nhe\r\n--x--\r\n",
    "206 Partial Content",
  ),
  "401 with challenges": sized(
    'WWW-Authenticate: Bearer realm="a", error="invalid_token"\r\nWWW-Authenticate: Basic realm="b"\r\n',
    "",
    "401 Unauthorized",
  ),
  "401 of NTLM": sized("WWW-Authenticate: NTLM\r\n", "", "401 Unauthorized"),
  "503 with Retry-After": sized("Retry-After: 120\r\n", "later", "503 Service Unavailable"),
  "405 with Allow": sized("Allow:\r\n", "", "405 Method Not Allowed"),
};
