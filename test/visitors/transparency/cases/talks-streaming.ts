import type { TalkCases } from "./talk-case.ts";
import { chunked, hello, ok } from "./talk-messages.ts";

/** What comes at once must not wait for what comes later. */
export const streaming: TalkCases = {
  "an answer in chunks arrives part by part": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", chunked],
      ["visitor", "sees", " 200"],
      ["service", "sends", "3\r\none\r\n"],
      ["visitor", "sees", "one"],
      ["service", "sends", "3\r\ntwo\r\n"],
      ["visitor", "sees", "two"],
      ["service", "sends", "0\r\n\r\n"],
      ["visitor", "has it whole"],
    ],
  },
  "an answer with a length arrives part by part": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Content-Length: 6\r\n\r\n`],
      ["visitor", "sees", " 200"],
      ["service", "sends", "one"],
      ["visitor", "sees", "one"],
      ["service", "sends", "two"],
      ["visitor", "has it whole"],
    ],
  },
  "an answer until the end arrives part by part": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Content-Type: text/event-stream\r\n\r\n`],
      ["visitor", "sees", " 200"],
      ["service", "sends", "data: one\n\n"],
      ["visitor", "sees", "one"],
      ["service", "sends", "data: two\n\n"],
      ["visitor", "sees", "two"],
      ["service", "ends"],
      ["visitor", "has it whole"],
    ],
  },
  "an error arrives part by part": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"],
      ["visitor", "sees", " 403"],
      ["service", "sends", "3\r\none\r\n"],
      ["visitor", "sees", "one"],
      ["service", "sends", "0\r\n\r\n"],
      ["visitor", "has it whole"],
    ],
  },
  "a head arrives in parts": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends slowly", "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok"],
      ["visitor", "has it whole"],
    ],
  },
  "chunks arrive in parts": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", chunked],
      ["service", "sends slowly", "3;a=b\r\none\r\n0\r\nX-Sum: 1\r\n\r\n"],
      ["visitor", "has it whole"],
    ],
  },
  "a hint arrives before the answer": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"],
      ["visitor", "sees", " 103"],
      ["service", "sends", hello],
      ["visitor", "has it whole"],
    ],
  },
  "a sign of life arrives before the answer": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", "HTTP/1.1 102 Processing\r\n\r\n"],
      ["visitor", "sees", " 102"],
      ["service", "sends", hello],
      ["visitor", "has it whole"],
    ],
  },
  "an answer breaks off after its first part": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", `${chunked}3\r\none\r\n`],
      ["visitor", "sees", "one"],
      ["service", "ends"],
      ["visitor", "has it cut"],
    ],
  },
  "an answer with a length breaks off after its first part": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Content-Length: 10\r\n\r\none`],
      ["visitor", "sees", "one"],
      ["service", "ends"],
      ["visitor", "has it cut"],
    ],
  },
  "an answer until the end is reset after its first part": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Content-Type: text/plain\r\n\r\none`],
      ["visitor", "sees", "one"],
      ["service", "leaves"],
      ["visitor", "has it cut"],
    ],
  },
};
