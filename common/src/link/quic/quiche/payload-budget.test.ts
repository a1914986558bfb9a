import assert from "node:assert/strict";
import { limits } from "../../limits.ts";
import { PayloadBudget, type PacketStats } from "./payload-budget.ts";

const mebibyte = 1024 * 1024;
const overhead = 41;
const lifetimePackets = limits.quicLife.packets;

interface Case {
  readonly what: string;
  readonly stats: PacketStats;
  readonly delivered: number;
  readonly isExceeded: boolean;
}

function packets(recv: number, payload: number, sent: number): PacketStats {
  return { recv, recvBytes: recv * (overhead + payload), sent };
}

const cases: readonly Case[] = [
  {
    what: "a download of 4 million full packets, 5 % of them sent twice",
    stats: packets(lifetimePackets, 1_309, lifetimePackets / 2),
    delivered: lifetimePackets * 1_295 * 0.95,
    isExceeded: false,
  },
  {
    what: "an upload of 4 million packets, with an acknowledgement of 50 bytes for every two",
    stats: packets(lifetimePackets / 2, 50, lifetimePackets),
    delivered: 0,
    isExceeded: false,
  },
  {
    what: "4 million packets of one byte",
    stats: packets(lifetimePackets, 24, lifetimePackets / 2),
    delivered: lifetimePackets,
    isExceeded: false,
  },
  {
    what: "a window full of data that nobody reads",
    stats: packets(16_000, 1_309, 8_000),
    delivered: 16_000 * 1_295 - limits.linkWindowBytes,
    isExceeded: false,
  },
  { what: "64 MiB of CRYPTO", stats: packets(51_200, 1_311, 25_600), delivered: 0, isExceeded: true },
  {
    what: "64 MiB of CRYPTO beside a download of 256 MiB",
    stats: packets(256_000, 1_311, 128_000),
    delivered: 256 * mebibyte,
    isExceeded: true,
  },
  { what: "PATH_CHALLENGEs in full packets", stats: packets(60_000, 1_309, 60_000), delivered: 0, isExceeded: true },
];

describe("PayloadBudget", () => {
  for (const { what, stats, delivered, isExceeded } of cases) {
    it(`${isExceeded ? "ends" : "allows"} ${what}`, () => {
      const budget = new PayloadBudget();
      budget.delivered(delivered);
      assert.equal(budget.isExceeded(stats), isExceeded, `${budget.uselessBytes(stats)} bytes`);
    });
  }
});
