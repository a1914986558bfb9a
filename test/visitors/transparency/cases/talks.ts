import type { Step, TalkCase, TalkCases } from "./talk-case.ts";

const ok = "HTTP/1.1 200 OK\r\n";
const hello = `${ok}Content-Length: 5\r\n\r\nhello`;
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;
const get = "GET /TALK HTTP/1.1\r\nHost: NAME\r\n\r\n";
const upgrade = "GET /TALK HTTP/1.1\r\nHost: NAME\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";

/** What comes at once must not wait for what comes later. */
const streaming: TalkCases = {
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

/** Of a request in parts. */
const uploads: TalkCases = {
  "a body in chunks arrives part by part": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ["service", "sees", "TALK"],
      ["visitor", "sends", "one"],
      ["service", "sees", "one"],
      ["visitor", "sends", "two"],
      ["service", "sees", "two"],
      ["visitor", "finishes the body"],
      ["service", "sees", "0\r\n\r\n"],
      ["service", "sends", hello],
      ["visitor", "has it whole"],
    ],
  },
  "a body with a length arrives part by part": {
    request: { method: "PUT", body: 6 },
    steps: [
      ["service", "sees", "Content-Length: 6"],
      ["visitor", "sends", "one"],
      ["service", "sees", "one"],
      ["visitor", "sends", "two"],
      ["service", "sees", "two"],
      ["visitor", "finishes the body"],
      ["service", "sends", hello],
      ["visitor", "has it whole"],
    ],
  },
  "both sides speak in turn": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", chunked],
      ["visitor", "sees", " 200"],
      ["visitor", "sends", "one"],
      ["service", "sees", "one"],
      ["service", "sends", "3\r\nONE\r\n"],
      ["visitor", "sees", "ONE"],
      ["visitor", "sends", "two"],
      ["service", "sees", "two"],
      ["service", "sends", "3\r\nTWO\r\n"],
      ["visitor", "sees", "TWO"],
      ["visitor", "finishes the body"],
      ["service", "sees", "0\r\n\r\n"],
      ["service", "sends", "0\r\n\r\n"],
      ["visitor", "has it whole"],
    ],
  },
  "the whole answer comes before the body": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"],
      ["service", "ends"],
      ["visitor", "sees", " 401"],
      ["visitor", "has it whole"],
    ],
  },
  "the whole answer comes in the middle of the body": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ["visitor", "sends", "one"],
      ["service", "sees", "one"],
      ["service", "sends", "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"],
      ["service", "ends"],
      ["visitor", "has it whole"],
    ],
  },
  "a service that answers early goes on reading": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ["visitor", "sends", "one"],
      ["service", "sees", "one"],
      ["service", "sends", `${chunked}3\r\nONE\r\n`],
      ["visitor", "sees", "ONE"],
      ["visitor", "sends", "two"],
      ["service", "sees", "two"],
      ["visitor", "finishes the body"],
      ["service", "sees", "0\r\n\r\n"],
      ["service", "sends", "0\r\n\r\n"],
      ["visitor", "has it whole"],
    ],
  },
  "100 before the body": {
    request: { method: "POST", fields: [["expect", "100-continue"]], body: 5 },
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", "HTTP/1.1 100 Continue\r\n\r\n"],
      ["visitor", "sees", " 100"],
      ["visitor", "sends", "hello"],
      ["visitor", "finishes the body"],
      ["service", "sees", "hello"],
      ["service", "sends", hello],
      ["visitor", "has it whole"],
    ],
  },
  "417 instead of 100": {
    request: { method: "POST", fields: [["expect", "100-continue"]], body: 5 },
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"],
      ["visitor", "sees", " 417"],
      ["visitor", "has it whole"],
    ],
  },
  "401 instead of 100, and the end": {
    request: { method: "POST", fields: [["expect", "100-continue"]], body: 5 },
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"],
      ["service", "ends"],
      ["visitor", "sees", " 401"],
      ["visitor", "has it whole"],
    ],
  },
  "a visitor that does not wait for 100": {
    request: { method: "POST", fields: [["expect", "100-continue"]], body: 5 },
    steps: [
      ["visitor", "sends", "hello"],
      ["visitor", "finishes the body"],
      ["service", "sees", "hello"],
      ["service", "sends", hello],
      ["visitor", "has it whole"],
    ],
  },
  "a 100 that nobody asked for": {
    request: { method: "POST", body: 5 },
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", "HTTP/1.1 100 Continue\r\n\r\n"],
      ["visitor", "sees", " 100"],
      ["visitor", "sends", "hello"],
      ["visitor", "finishes the body"],
      ["service", "sees", "hello"],
      ["service", "sends", hello],
      ["visitor", "has it whole"],
    ],
  },
};

/** Who leaves is missed on the other side. */
const leaving: TalkCases = {
  "a visitor leaves before the answer": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["visitor", "leaves"],
      ["service", "sees the end"],
    ],
  },
  "a visitor leaves in the middle of the answer": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", `${chunked}3\r\none\r\n`],
      ["visitor", "sees", "one"],
      ["visitor", "leaves"],
      ["service", "sees the end"],
    ],
  },
  "a visitor leaves in the middle of the body": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ["visitor", "sends", "one"],
      ["service", "sees", "one"],
      ["visitor", "leaves"],
      ["service", "sees the end"],
    ],
  },
  "a service leaves in the middle of the body": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ["visitor", "sends", "one"],
      ["service", "sees", "one"],
      ["service", "sends", `${chunked}3\r\nONE\r\n`],
      ["visitor", "sees", "ONE"],
      ["service", "leaves"],
      ["visitor", "has it cut"],
    ],
  },
};

function http1(cases: Readonly<Record<string, readonly Step[]>>, alpn?: readonly string[]): TalkCases {
  return Object.fromEntries(
    Object.entries(cases).map(([name, steps]): [string, TalkCase] => [
      name,
      { steps, only: "HTTP/1.1", ...(alpn ? { alpn } : {}) },
    ]),
  );
}

const oneRequest: readonly Step[] = [
  ["visitor", "sends", get],
  ["service", "sees", "TALK"],
  ["service", "sends", hello],
  ["visitor", "sees", "hello"],
];

/** What only HTTP/1 has. */
const connections: TalkCases = {
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
      ["visitor", "sends", `POST /TALK HTTP/1.1\r\nHost: NAME\r\nContent-Length: 5\r\n\r\nfirst${get.replace("TALK", "TALK?second")}`],
      ["service", "sees", "first"],
      ["service", "sends", hello],
      ["visitor", "sees", "hello"],
      ["service", "sees", "TALK?second"],
      ["service", "sends", `${ok}Content-Length: 6\r\n\r\nsecond`],
      ["visitor", "sees", "second"],
    ],
    "chunks and another request at once": [
      ["visitor", "sends", `POST /TALK HTTP/1.1\r\nHost: NAME\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n${get.replace("TALK", "TALK?second")}`],
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
      ["visitor", "sends", `POST /TALK HTTP/1.1\r\nHost: NAME\r\nContent-Length: 5\r\n\r\nfirst\r\n${get.replace("TALK", "TALK?second")}`],
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

/** From one protocol to another (RFC 9110 7.8). */
const upgrades: TalkCases = http1({
  "a WebSocket in both directions": [
    ["visitor", "sends", upgrade],
    ["service", "sees", "Upgrade: websocket"],
    ["service", "sends", switching],
    ["visitor", "sees", "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI="],
    ["visitor", "sends", "\x81\x83\0\0\0\0one"],
    ["service", "sees", "\x81\x83\0\0\0\0one"],
    ["service", "sends", "\x81\x03two"],
    ["visitor", "sees", "\x81\x03two"],
    ["service", "ends"],
    ["visitor", "sees the end"],
  ],
  "a WebSocket that the visitor ends": [
    ["visitor", "sends", upgrade],
    ["service", "sees", "Upgrade: websocket"],
    ["service", "sends", switching],
    ["visitor", "sees", " 101"],
    ["visitor", "ends"],
    ["service", "sees the end"],
  ],
  "a protocol of one's own, and half of its end": [
    ["visitor", "sends", "GET /TALK HTTP/1.1\r\nHost: NAME\r\nConnection: Upgrade\r\nUpgrade: own/1\r\n\r\n"],
    ["service", "sees", "Upgrade: own/1"],
    ["service", "sends", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: own/1\r\n\r\nfirst"],
    ["visitor", "sees", "first"],
    ["visitor", "sends", "last"],
    ["visitor", "ends"],
    ["service", "sees", "last"],
    ["service", "sees the end"],
    ["service", "sends", "after"],
    ["visitor", "sees", "after"],
    ["service", "ends"],
    ["visitor", "sees the end"],
  ],
  "bytes behind the offer": [
    ["visitor", "sends", `${upgrade}early`],
    ["service", "sees", "Upgrade: websocket"],
    ["service", "sends", switching],
    ["visitor", "sees", " 101"],
    ["service", "sees", "early"],
    ["service", "ends"],
    ["visitor", "sees the end"],
  ],
  "an offer that is refused": [
    ["visitor", "sends", upgrade],
    ["service", "sees", "Upgrade: websocket"],
    ["service", "sends", "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"],
    ["visitor", "sees", " 403"],
    ["visitor", "sees", "no"],
  ],
  "an offer that is refused with 426": [
    ["visitor", "sends", upgrade],
    ["service", "sees", "Upgrade: websocket"],
    ["service", "sends", "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\nContent-Length: 0\r\n\r\n"],
    ["visitor", "sees", "Sec-WebSocket-Version: 8"],
  ],
  "an offer that is ignored": [
    ["visitor", "sends", upgrade],
    ["service", "sees", "Upgrade: websocket"],
    ["service", "sends", hello],
    ["visitor", "sees", "hello"],
  ],
  "an offer of several protocols": [
    ["visitor", "sends", "GET /TALK HTTP/1.1\r\nHost: NAME\r\nConnection: upgrade\r\nUpgrade: own/1, own/2\r\n\r\n"],
    ["service", "sees", "Upgrade: own/1, own/2"],
    ["service", "sends", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: own/2\r\n\r\n"],
    ["visitor", "sees", "Upgrade: own/2"],
    ["service", "ends"],
    ["visitor", "sees the end"],
  ],
  "an offer in another spelling": [
    ["visitor", "sends", "GET /TALK HTTP/1.1\r\nhost: NAME\r\nconnection: keep-alive, UPGRADE\r\nupgrade: Own\r\n\r\n"],
    ["service", "sees", "Own"],
    ["service", "sends", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: Own\r\n\r\n"],
    ["visitor", "sees", "Upgrade: Own"],
    ["service", "ends"],
    ["visitor", "sees the end"],
  ],
  "an offer with a body": [
    ["visitor", "sends", "POST /TALK HTTP/1.1\r\nHost: NAME\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{}"],
    ["service", "sees", "{}"],
    ["service", "sends", "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw"],
    ["visitor", "sees", "raw"],
    ["service", "ends"],
    ["visitor", "sees the end"],
  ],
  "a reset in the middle": [
    ["visitor", "sends", upgrade],
    ["service", "sees", "Upgrade: websocket"],
    ["service", "sends", switching],
    ["visitor", "sees", " 101"],
    ["service", "leaves"],
    ["visitor", "sees the end"],
  ],
});

const silence: Step = ["both", "are silent"];

/** Nothing is said for two minutes, and then it goes on. */
export const idleTalks: TalkCases = {
  "a head that takes two minutes": {
    request: {},
    steps: [["service", "sees", "TALK"], silence, ["service", "sends", hello], ["visitor", "has it whole"]],
  },
  "an answer in chunks that pauses": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", `${chunked}3\r\none\r\n`],
      ["visitor", "sees", "one"],
      silence,
      ["service", "sends", "3\r\ntwo\r\n0\r\n\r\n"],
      ["visitor", "has it whole"],
    ],
  },
  "an answer with a length that pauses": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Content-Length: 6\r\n\r\none`],
      ["visitor", "sees", "one"],
      silence,
      ["service", "sends", "two"],
      ["visitor", "has it whole"],
    ],
  },
  "events that pause": {
    request: {},
    steps: [
      ["service", "sees", "TALK"],
      ["service", "sends", `${ok}Content-Type: text/event-stream\r\n\r\ndata: one\n\n`],
      ["visitor", "sees", "one"],
      silence,
      ["service", "sends", "data: two\n\n"],
      ["visitor", "sees", "two"],
      ["service", "ends"],
      ["visitor", "has it whole"],
    ],
  },
  "a visitor that is silent after the answer has begun": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ["visitor", "sends", "one"],
      ["service", "sees", "one"],
      ["service", "sends", `${chunked}3\r\nONE\r\n`],
      ["visitor", "sees", "ONE"],
      silence,
      ["visitor", "sends", "two"],
      ["service", "sees", "two"],
      ["service", "sends", "3\r\nTWO\r\n0\r\n\r\n"],
      ["visitor", "sees", "TWO"],
    ],
  },
  "a call of gRPC that is silent in both directions": {
    request: { method: "POST", fields: [["content-type", "application/grpc"], ["te", "trailers"]], body: "chunked" },
    steps: [
      ["service", "sees", "TALK"],
      silence,
      ["visitor", "sends", "one"],
      ["service", "sees", "one"],
      ["service", "sends", `${ok}Content-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nONE\r\n0\r\ngrpc-status: 0\r\n\r\n`],
      ["visitor", "sees", "ONE"],
    ],
    only: "HTTP/2",
  },
  "a WebSocket that is silent": {
    only: "HTTP/1.1",
    steps: [
      ["visitor", "sends", upgrade],
      ["service", "sees", "Upgrade: websocket"],
      ["service", "sends", switching],
      ["visitor", "sees", " 101"],
      silence,
      ["visitor", "sends", "\x89\0"],
      ["service", "sees", "\x89\0"],
      ["service", "sends", "\x8a\0"],
      ["visitor", "sees", "\x8a\0"],
      ["service", "ends"],
      ["visitor", "sees the end"],
    ],
  },
};

export const talks: Readonly<Record<string, TalkCases>> = {
  "answers in parts": streaming,
  "requests in parts": uploads,
  "visitors and services that leave": leaving,
  "connections of HTTP/1": connections,
  upgrades,
};
