import { closing, raw, sized, type AnswerCases } from "./answer-case.ts";

const ok = "HTTP/1.1 200 OK\r\n";
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const text = `${ok}Content-Type: text/plain\r\n`;

/** Responses that do not come to their end. A visitor must be able to tell. */
export const answerBroken: AnswerCases = {
  "half of the length": raw(`${ok}Content-Length: 10\r\n\r\nhello`, "close"),
  "half of the length, of text": raw(`${text}Content-Length: 10\r\n\r\nhello`, "close"),
  "half of the length, then a reset": raw(`${text}Content-Length: 10\r\n\r\nhello`, "reset"),
  "nothing of the length": raw(`${ok}Content-Length: 10\r\n\r\n`, "close"),
  "nothing of the length, then a reset": raw(`${ok}Content-Length: 10\r\n\r\n`, "reset"),
  "half of a large length": raw(`${ok}Content-Length: 400000\r\n\r\n${"x".repeat(200_000)}`, "close"),
  "chunks without the last one": raw(`${chunked}5\r\nhello\r\n`, "close"),
  "half a chunk": raw(`${chunked}a\r\nhello`, "close"),
  "half a chunk, then a reset": raw(`${chunked}a\r\nhello`, "reset"),
  "a last chunk without its end": raw(`${chunked}5\r\nhello\r\n0\r\n`, "close"),
  "half a trailer": raw(`${chunked}5\r\nhello\r\n0\r\nX-Su`, "close"),
  "a chunk size that is none": raw(`${chunked}5\r\nhello\r\nxyz\r\n`, "close"),
  "a chunk that is longer than it says": raw(`${chunked}3\r\nhello\r\n0\r\n\r\n`, "close"),
  "a chunk that is shorter than it says": raw(`${chunked}8\r\nhello\r\n0\r\n\r\n`, "close"),
  "a reset after a body without a length": { ...closing("Content-Type: text/plain\r\n"), end: "reset" },
  "a reset after a body without a length or type": { ...closing(""), end: "reset" },
  "a reset after a body of HTTP/1.0": { ...closing("", "hello", "HTTP/1.0 200 OK"), end: "reset" },
  "half of an error's length": raw("HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhello", "close"),
  "half of a bad request's length": raw("HTTP/1.1 400 Bad Request\r\nContent-Length: 10\r\n\r\nhello", "close"),
  "half a status line": raw("HTTP/1.1 2", "close"),
  "half a head": raw(`${ok}X-A: b\r\n`, "close"),
  "half a field": raw(`${ok}X-A: b`, "close"),
  "half a head, then a reset": raw(`${ok}X-A: b\r\n`, "reset"),
  "no byte": raw("", "close"),
  "a reset instead of an answer": raw("", "reset"),
  "100 and then the end": raw("HTTP/1.1 100 Continue\r\n\r\n", "close"),
  "103 and then the end": raw("HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n", "close"),
  "an answer that is not HTTP": raw("SSH-2.0-OpenSSH_9.2\r\n", "close"),
  "an answer of HTTP/0.9": raw("<p>hello</p>\n", "close"),
  "a status of letters": raw("HTTP/1.1 abc OK\r\nContent-Length: 5\r\n\r\nhello", "close"),
  "two lengths": raw(`${ok}Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello!!`, "close"),
  "two lengths in a list": raw(`${ok}Content-Length: 5, 7\r\n\r\nhello!!`, "close"),
  "a negative length": raw(`${ok}Content-Length: -5\r\n\r\nhello`, "close"),
  "a length of letters": raw(`${ok}Content-Length: five\r\n\r\nhello`, "close"),
  "a length beyond all numbers": raw(`${ok}Content-Length: 99999999999999999999999\r\n\r\nhello`, "close"),
  "a NUL in a value": raw(`${ok}X-A: a\0b\r\nContent-Length: 5\r\n\r\nhello`, "close"),
  "a field of 2 MB": { ...sized(`X-Large: ${"a".repeat(2_000_000)}\r\n`), end: "close" },
};

/** Responses of services that do not read what is uploaded to them (nodejs/node#12339). */
export const answerEarly: AnswerCases = Object.fromEntries(
  [1_000, 20_000, 200_000, 2_000_000].flatMap((upload) =>
    (["401 Unauthorized", "413 Content Too Large", "501 Unsupported method ('POST')"] as const).map((status) => [
      `${status.slice(0, 3)} before ${upload / 1_000} KB are read`,
      { ...sized("Connection: close\r\n", "refused", status), method: "POST", early: true, end: "close", upload },
    ]),
  ),
);
