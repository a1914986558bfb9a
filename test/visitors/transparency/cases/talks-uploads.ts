import type { TalkCases } from "./talk-case.ts";
import { arrives, chunked, hello } from "./talk-messages.ts";

/** Conversations about a request in parts. */
export const uploads: TalkCases = {
  "a body in chunks arrives part by part": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ["service", "sees", "TALK"],
      ...arrives("one"),
      ...arrives("two"),
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
      ...arrives("one"),
      ...arrives("two"),
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
      ...arrives("one"),
      ["service", "sends", "3\r\nONE\r\n"],
      ["visitor", "sees", "ONE"],
      ...arrives("two"),
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
      ...arrives("one"),
      ["service", "sends", "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"],
      ["service", "ends"],
      ["visitor", "has it whole"],
    ],
  },
  "a service that answers early keeps reading": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ...arrives("one"),
      ["service", "sends", `${chunked}3\r\nONE\r\n`],
      ["visitor", "sees", "ONE"],
      ...arrives("two"),
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
export const leaving: TalkCases = {
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
    steps: [...arrives("one"), ["visitor", "leaves"], ["service", "sees the end"]],
  },
  "a service leaves in the middle of the body": {
    request: { method: "POST", body: "chunked" },
    steps: [
      ...arrives("one"),
      ["service", "sends", `${chunked}3\r\nONE\r\n`],
      ["visitor", "sees", "ONE"],
      ["service", "leaves"],
      ["visitor", "has it cut"],
    ],
  },
};
