import type { Step, TalkCases } from "./talk-case.ts";
import { get, hello, http1, ok } from "./talk-messages.ts";

const oneRequest: readonly Step[] = [
  ["visitor", "sends", get],
  ["service", "sees", "TALK"],
  ["service", "sends", hello],
  ["visitor", "sees", "hello"],
];

/** What only HTTP/1 has. */
export const connections: TalkCases = {
  ...http1({
    "two requests one after the other": [...oneRequest, ...oneRequest],
    "two requests at once are answered in order": [
      ["visitor", "sends", `${get}${get.replace("TALK", "TALK?second")}`],
      ["service", "sees", "TALK HTTP"],
      ["service", "sends", `${ok}Content-Length: 5\r\n\r\nfirst`],
      ["visitor", "sees", "first"],
      ["service", "sees", "TALK?second"],
      ["service", "sends", `${ok}Content-Length: 6\r\n\r\nsecond`],
      ["visitor", "sees", "second"],
    ],
    "a request with a body and another at once": [
      [
        "visitor",
        "sends",
        `POST /TALK HTTP/1.1\r\nHost: NAME\r\nContent-Length: 5\r\n\r\nfirst${get.replace("TALK", "TALK?second")}`,
      ],
      ["service", "sees", "first"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
      ["service", "sees", "TALK?second"],
      ["service", "sends", `${ok}Content-Length: 6\r\n\r\nsecond`],
      ["visitor", "sees", "second"],
    ],
    "chunks and another request at once": [
      [
        "visitor",
        "sends",
        `POST /TALK HTTP/1.1\r\nHost: NAME\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n${get.replace("TALK", "TALK?second")}`,
      ],
      ["service", "sees", "first"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
      ["service", "sees", "TALK?second"],
      ["service", "sends", `${ok}Content-Length: 6\r\n\r\nsecond`],
      ["visitor", "sees", "second"],
    ],
    "a head that comes letter by letter": [
      ["visitor", "sends slowly", get],
      ["service", "sees", "TALK"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
    ],
    "an empty line before the request": [
      ["visitor", "sends", `\r\n${get}`],
      ["service", "sees", "TALK"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
    ],
    "an empty line after the body": [
      [
        "visitor",
        "sends",
        `POST /TALK HTTP/1.1\r\nHost: NAME\r\nContent-Length: 5\r\n\r\nfirst\r\n${get.replace("TALK", "TALK?second")}`,
      ],
      ["service", "sees", "first"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
      ["service", "sees", "TALK?second"],
      ["service", "sends", hello],
    ],
    "a visitor that asks for the end gets it": [
      ["visitor", "sends", get.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")],
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Connection: close\r\nContent-Length: 5\r\n\r\nhello`],
      ["service", "ends"],
      ["visitor", "sees", "hello"],
      ["visitor", "sees the end"],
    ],
    "a visitor that ends its direction gets its answer": [
      ["visitor", "sends", get],
      ["service", "sees", "TALK"],
      ["visitor", "ends"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
    ],
    "HTTP/1.0 gets the end of the connection": [
      ["visitor", "sends", "GET /TALK HTTP/1.0\r\nHost: NAME\r\n\r\n"],
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Connection: close\r\nContent-Length: 5\r\n\r\nhello`],
      ["service", "ends"],
      ["visitor", "sees", "hello"],
      ["visitor", "sees the end"],
    ],
    "HTTP/1.0 gets a stream until the end": [
      ["visitor", "sends", "GET /TALK HTTP/1.0\r\nHost: NAME\r\n\r\n"],
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Content-Type: text/plain\r\n\r\none`],
      ["visitor", "sees", "one"],
      ["service", "sends", "two"],
      ["visitor", "sees", "two"],
      ["service", "ends"],
      ["visitor", "sees the end"],
    ],
    "HTTP/1.0 keeps the connection when both want it": [
      ["visitor", "sends", "GET /TALK HTTP/1.0\r\nHost: NAME\r\nConnection: keep-alive\r\n\r\n"],
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Connection: keep-alive\r\nContent-Length: 5\r\n\r\nfirst`],
      ["visitor", "sees", "first"],
      ["visitor", "sends", "GET /TALK?second HTTP/1.0\r\nHost: NAME\r\nConnection: keep-alive\r\n\r\n"],
      ["service", "sees", "second"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
    ],
    "HTTP/1.0 without a Host": [
      ["visitor", "sends", "GET /TALK HTTP/1.0\r\n\r\n"],
      ["service", "sees", "TALK"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
    ],
    "a refused body and the end": [
      ["visitor", "sends", "POST /TALK HTTP/1.1\r\nHost: NAME\r\nContent-Length: 5\r\n\r\nhe"],
      ["service", "sees", "he"],
      ["service", "sends", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"],
      ["service", "ends"],
      ["visitor", "sees", " 400"],
      ["visitor", "sees the end"],
    ],
  }),
  "without ALPN": { steps: oneRequest, only: "HTTP/1.1", alpn: [] },
  "with the ALPN http/1.0": {
    steps: [
      ["visitor", "sends", "GET /TALK HTTP/1.0\r\nHost: NAME\r\n\r\n"],
      ["service", "sees", "TALK"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
    ],
    only: "HTTP/1.1",
    alpn: ["http/1.0", "http/1.1"],
  },
  "with an ALPN that nobody knows": { steps: oneRequest, only: "HTTP/1.1", alpn: ["own/1", "http/1.1"] },
};
