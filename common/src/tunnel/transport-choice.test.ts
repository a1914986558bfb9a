import assert from "node:assert/strict";
import { wantedLinks, type ChoiceFacts, type WantedLinks } from "./transport-choice.ts";

describe("transport choice", () => {
  const auto: ChoiceFacts = { policy: "auto", poolSize: 4, quic: "trying", headStartOver: false };
  const rows: readonly (readonly [string, Partial<ChoiceFacts>, WantedLinks])[] = [
    ["at the start: QUIC, and one HTTP/2 connection beside it", {}, { quic: true, http2: 1 }],
    ["QUIC is late: the whole pool meanwhile", { headStartOver: true }, { quic: true, http2: 4 }],
    ["QUIC is up: a standby is enough", { quic: "up", headStartOver: true }, { quic: true, http2: 1 }],
    ["QUIC can't be had: the pool at once", { quic: "unavailable" }, { quic: false, http2: 4 }],
    ["the user wants HTTP/2", { policy: "h2", quic: "up" }, { quic: false, http2: 4 }],
    ["the user wants QUIC", { policy: "quic", headStartOver: true }, { quic: true, http2: 0 }],
  ];
  for (const [name, facts, wanted] of rows) {
    it(name, () => assert.deepEqual(wantedLinks({ ...auto, ...facts }), wanted));
  }
});
