import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { TransportChoice, type QuicFact, type TransportPolicy } from "./transport-choice.ts";
import { limits } from "./limits.ts";

const { quicAbsentPoolMs, quicHeadStartMs, quicReturnMs, quicSettledMs, quicSilentPoolMs } = limits;
const dialing: QuicFact = { is: "dialing" };
const beginning: QuicFact = { is: "beginning" };
const up: QuicFact = { is: "up" };
const silent: QuicFact = { is: "silent" };
const waiting: QuicFact = { is: "waiting", error: new PortholeError("timeout", "too long"), nextTryAt: 120_000 };
const refused: QuicFact = { is: "waiting", error: new PortholeError("untrusted", "who is that"), nextTryAt: 9 };
const absent: QuicFact = { is: "waiting", error: new PortholeError("unreachable", "QUIC: not yet"), nextTryAt: 9 };
const notYet = "QUIC: not yet";
const unavailable: QuicFact = { is: "unavailable", reason: "no binary" };
const noAnswer = "UDP to relay:4433 got no answer";
const gone = "UDP to relay:4433 has gone silent";
const tried = "QUIC is being tried";

/** At a time, what QUIC is; what then carries visitors, how many HTTP/2 connections, and why it is not QUIC. */
type Step = readonly [atMs: number, QuicFact | "the network changed", connection: string, http2: number, why?: string];

const sequences: readonly (readonly [string, TransportPolicy, readonly Step[]])[] = [
  [
    "QUIC is up in time: one standby from the start to the end",
    "auto",
    [
      [0, dialing, "http2", 1, tried],
      [quicHeadStartMs - 1, dialing, "http2", 1, tried],
      [quicHeadStartMs - 1, up, "quic", 1],
      [3_600_000, up, "quic", 1],
    ],
  ],
  [
    "the relay is far away: QUIC's head start begins when HTTP/2 is up",
    "auto",
    [
      [0, beginning, "http2", 1, tried],
      [900, beginning, "http2", 1, tried],
      [900, dialing, "http2", 1, tried],
      [899 + quicHeadStartMs, dialing, "http2", 1, tried],
      [899 + quicHeadStartMs, up, "quic", 1],
    ],
  ],
  [
    "QUIC is late: the pool in the meantime, and for a while after",
    "auto",
    [
      [0, dialing, "http2", 1, tried],
      [quicHeadStartMs, dialing, "http2", 4, tried],
      [1_000, up, "quic", 4],
      [1_000 + quicSettledMs - 1, up, "quic", 4],
      [1_000 + quicSettledMs, up, "quic", 1],
    ],
  ],
  [
    "the relay has no QUIC yet: no pool for the moment after its start",
    "auto",
    [
      [0, absent, "http2", 1, notYet],
      [quicAbsentPoolMs - 1, absent, "http2", 1, notYet],
      [quicAbsentPoolMs - 1, dialing, "http2", 1, notYet],
      [quicAbsentPoolMs - 2 + quicHeadStartMs, dialing, "http2", 1, notYet],
      [quicAbsentPoolMs - 2 + quicHeadStartMs, up, "quic", 1],
    ],
  ],
  [
    "the relay is back: QUIC that worked before is given its time, and no pool is made",
    "auto",
    [
      [0, up, "quic", 1],
      [1_000, beginning, "http2", 1, tried],
      [2_000, absent, "http2", 1, notYet],
      [2_000 + quicReturnMs - 1, absent, "http2", 1, notYet],
      [2_000 + quicReturnMs - 1, dialing, "http2", 1, notYet],
      [1_998 + 2 * quicReturnMs, dialing, "http2", 1, notYet],
      [1_999 + 2 * quicReturnMs, dialing, "http2", 4, notYet],
    ],
  ],
  [
    "the relay is back: the reason of before is none, but a dial that fails now is",
    "auto",
    [
      [0, up, "quic", 1],
      [1_000, silent, "http2", 1, gone],
      [3_000, silent, "http2", 4, gone],
      [4_000, beginning, "http2", 1, gone],
      [9_000, waiting, "http2", 1, noAnswer],
      [9_001, dialing, "http2", 1, noAnswer],
      [12_000, waiting, "http2", 4, noAnswer],
    ],
  ],
  [
    "the relay has no QUIC: the pool, which stays",
    "auto",
    [
      [0, absent, "http2", 1, notYet],
      [quicAbsentPoolMs, absent, "http2", 4, notYet],
      [30_000, dialing, "http2", 4, notYet],
      [30_010, absent, "http2", 4, notYet],
    ],
  ],
  [
    "UDP is blocked: the pool, and the reason does not flicker while QUIC is tried again",
    "auto",
    [
      [0, dialing, "http2", 1, tried],
      [5_000, waiting, "http2", 4, noAnswer],
      [35_000, dialing, "http2", 4, noAnswer],
      [40_000, waiting, "http2", 4, noAnswer],
      [99_000, up, "quic", 4],
    ],
  ],
  [
    "UDP goes dark for a moment: the standby carries, and no pool is made",
    "auto",
    [
      [0, up, "quic", 1],
      [9_000, silent, "http2", 1, gone],
      [9_000 + quicSilentPoolMs - 1, silent, "http2", 1, gone],
      [9_000 + quicSilentPoolMs - 1, up, "quic", 1],
    ],
  ],
  [
    "UDP goes dark for good, and comes back: the pool, then the standby alone",
    "auto",
    [
      [0, up, "quic", 1],
      [9_000, silent, "http2", 1, gone],
      [9_000 + quicSilentPoolMs, silent, "http2", 4, gone],
      [21_000, waiting, "http2", 4, noAnswer],
      [30_000, dialing, "http2", 4, noAnswer],
      [30_100, up, "quic", 4],
      [35_000, silent, "http2", 4, gone],
      [36_000, up, "quic", 4],
      [36_000 + quicSettledMs - 1, up, "quic", 4],
      [36_000 + quicSettledMs, up, "quic", 1],
    ],
  ],
  [
    "another network: a head start again, and no reason of the old one",
    "auto",
    [
      [0, waiting, "http2", 4, noAnswer],
      [60_000, "the network changed", "http2", 4, tried],
      [60_000, dialing, "http2", 4, tried],
      [60_100, up, "quic", 4],
    ],
  ],
  [
    "the relay is not trusted over QUIC: in its own words",
    "auto",
    [
      [0, dialing, "http2", 1, tried],
      [10, refused, "http2", 4, "QUIC: who is that"],
    ],
  ],
  ["QUIC can't be had: the pool at once", "auto", [[0, unavailable, "http2", 4, "QUIC is unavailable: no binary"]]],
  [
    "the user wants HTTP/2: it needs no reason",
    "h2",
    [
      [0, dialing, "http2", 4],
      [9, up, "http2", 4],
    ],
  ],
  [
    "the user wants QUIC: nothing else",
    "quic",
    [
      [0, dialing, "quic", 0],
      [900, waiting, "quic", 0],
      [1_000, up, "quic", 0],
    ],
  ],
];

describe("transport choice", () => {
  for (const [name, policy, steps] of sequences) {
    it(name, () => {
      const choice = new TransportChoice({ policy, poolSize: 4, server: "relay:4433" }, 0);
      let fact: QuicFact = dialing;
      for (const [atMs, step, connection, http2, why] of steps) {
        if (step === "the network changed") {
          choice.forget(atMs);
          fact = dialing;
        } else fact = step;
        const decision = choice.see(fact, atMs);
        const seen = { connection: decision.connection, http2: decision.links.http2 };
        assert.deepEqual(seen, { connection, http2 }, `at ${atMs} ms`);
        if (policy === "auto") assert.equal(decision.whyNotQuic?.message, why, `at ${atMs} ms`);
        assert.equal(decision.links.quic, policy !== "h2" && step !== unavailable);
      }
    });
  }

  it("says when the decision changes by itself, and then it does", () => {
    const choice = new TransportChoice({ policy: "auto", poolSize: 4, server: "relay:4433" }, 0);
    for (const fact of [dialing, up, silent] as const) {
      const before = choice.see(fact, 100_000);
      if (before.reviewInMs === undefined) continue;
      const after = choice.see(fact, 100_000 + before.reviewInMs);
      assert.equal(after.reviewInMs, undefined);
      assert.notEqual(after.links.http2, before.links.http2);
    }
    assert.deepEqual(choice.see(waiting, 200_000).whyNotQuic, { message: noAnswer, nextTryAt: 120_000 });
  });
});
