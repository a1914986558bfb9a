import type { Step, TalkCases } from "./talk-case.ts";
import { arrives, chunked, hello, ok, switching, upgrade } from "./talk-messages.ts";

const silence: Step = ["both", "are silent"];

/** Nothing is said for two minutes, and then it continues. */
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
      ...arrives("one"),
      ["service", "sends", `${chunked}3\r\nONE\r\n`],
      ["visitor", "sees", "ONE"],
      silence,
      ...arrives("two"),
      ["service", "sends", "3\r\nTWO\r\n0\r\n\r\n"],
      ["visitor", "sees", "TWO"],
    ],
  },
  "a call of gRPC that is silent in both directions": {
    request: {
      method: "POST",
      fields: [
        ["content-type", "application/grpc"],
        ["te", "trailers"],
      ],
      body: "chunked",
    },
    steps: [
      ["service", "sees", "TALK"],
      silence,
      ...arrives("one"),
      [
        "service",
        "sends",
        `${ok}Content-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nONE\r\n0\r\ngrpc-status: 0\r\n\r\n`,
      ],
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
      ...arrives("\x89\0"),
      ["service", "sends", "\x8a\0"],
      ["visitor", "sees", "\x8a\0"],
      ["service", "ends"],
      ["visitor", "sees the end"],
    ],
  },
};
