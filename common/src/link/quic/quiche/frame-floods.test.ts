import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@porthole/testing";
import { PortholeError } from "../../../errors.ts";
import { MemoryPair } from "./memory-pair.test.ts";
import { integer, PacketForger } from "./packet-forger.test.ts";

const packetBytes = 1_200;
const batch = 16;
/** The budget is 1,000 frames. */
const maxBytes = 2 * 1024 * 1024;

/** What an admitted peer sends besides streams, by the frames of one packet. `index`: of the packet. */
const floods: Readonly<Record<string, (index: number) => Buffer>> = {
  "CRYPTO behind a gap (CVE-2024-1765)": (index) =>
    Buffer.concat([Buffer.from([0x06]), integer(10 + index * 1_150), integer(1_150), Buffer.alloc(1_150)]),
  "CRYPTO in pieces of a byte": (index) =>
    many((frame) => Buffer.concat([Buffer.from([0x06]), integer(10 + 2 * (index * 200 + frame)), Buffer.from([1, 0])])),
  "CRYPTO that overlaps": () => Buffer.concat([Buffer.from([0x06]), integer(10), integer(1_150), Buffer.alloc(1_150)]),
  "CRYPTO with its type in two bytes": (index) =>
    many((frame) =>
      Buffer.concat([Buffer.from([0x40, 0x06]), integer(10 + 2 * (index * 200 + frame)), Buffer.from([1, 0])]),
    ),
  "CRYPTO behind other frames": (index) =>
    many((frame) =>
      Buffer.concat([
        ...[
          Buffer.from([0x01, 0x02, 0, 0, 0, 0, 0x10]),
          integer(7),
          Buffer.from([0x0a, 0, 0, 0x03, 0, 0, 0, 0, 0, 0, 0]),
        ],
        ...[Buffer.from([0x06]), integer(10 + 2 * (index * 200 + frame)), Buffer.from([1, 0])],
      ]),
    ),
  "PATH_CHALLENGE (CVE-2023-6193)": () => many(() => Buffer.concat([Buffer.from([0x1a]), randomBytes(8)])),
  "NEW_CONNECTION_ID that retires the ones before (CVE-2024-1410)": (index) =>
    many((frame) => {
      const sequence = 1 + index * 1_000 + frame;
      return Buffer.concat([
        ...[Buffer.from([0x18]), integer(sequence), integer(sequence), Buffer.from([20])],
        ...[randomBytes(20), randomBytes(16)],
      ]);
    }),
  "NEW_CONNECTION_ID beyond the limit": (index) =>
    many((frame) =>
      Buffer.concat([
        ...[Buffer.from([0x18]), integer(1 + index * 1_000 + frame), integer(0), Buffer.from([20])],
        ...[randomBytes(20), randomBytes(16)],
      ]),
    ),
  "RETIRE_CONNECTION_ID of what was never given": () => many(() => Buffer.from([0x19, 0x3f])),
  NEW_TOKEN: () => many(() => Buffer.concat([Buffer.from([0x07, 32]), randomBytes(32)])),
};

function many(frame: (index: number) => Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let bytes = 0, index = 0; bytes < packetBytes - 100; index++) {
    const next = frame(index);
    frames.push(next);
    bytes += next.length;
  }
  return Buffer.concat(frames);
}

type Victim = "relay" | "client";

describe("an admitted QUIC peer that floods with frames", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-frames-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function begin(victim: Victim): Promise<{ readonly pair: MemoryPair; readonly forger: PacketForger }> {
    const keylog = join(folder, "keys");
    const pair = new MemoryPair({ keylog });
    await pair.established;
    const sample = (): Buffer => (victim === "relay" ? pair.lastToRelay : pair.lastToClient);
    await until(() => ((sample()[0] ?? 0x80) & 0x80) === 0, "a packet with a short header");
    const label = victim === "relay" ? "CLIENT_TRAFFIC_SECRET_0" : "SERVER_TRAFFIC_SECRET_0";
    const secret = new RegExp(`${label} \\w+ (\\w{64})\\b`).exec(await readFile(keylog, "utf8"))?.[1] ?? "";
    return { pair, forger: new PacketForger(Buffer.from(secret, "hex"), sample()) };
  }

  for (const victim of ["relay", "client"] as const) {
    for (const [what, frames] of Object.entries(floods))
      it(`${victim}: ${what}`, async () => {
        const { pair, forger } = await begin(victim);
        const ends: string[] = [];
        void (victim === "relay" ? pair.relayOver : pair.clientOver).then(({ code, message }) => {
          ends.push(`${code}: ${message}`);
        });
        let sent = 0;
        for (let index = 0; sent < maxBytes && ends.length === 0; index++) {
          const packet = forger.packet(frames(index));
          sent += packet.length;
          pair.inject(victim, packet);
          if (index % batch === 0) await new Promise((resolve) => setImmediate(resolve));
        }
        assert.match(ends[0] ?? `${sent} bytes were taken`, /^(limit|protocol): /);
        const over = new PortholeError("closed", "The test is over");
        pair.client.destroy(over);
        pair.relay.destroy(over);
      });

    it(`${victim}: what a stranger makes up does not count`, async () => {
      const { pair } = await begin(victim);
      const stranger = new PacketForger(randomBytes(32), victim === "relay" ? pair.lastToRelay : pair.lastToClient);
      const challenges = many(() => Buffer.concat([Buffer.from([0x1a]), randomBytes(8)]));
      for (let index = 0; index < 200; index++) pair.inject(victim, stranger.packet(challenges));
      // Not even when it looks like frames after the engine has tried.
      const plain = Buffer.concat([stranger.packet(Buffer.alloc(0)).subarray(0, 25), challenges, randomBytes(16)]);
      for (let index = 0; index < 200; index++) pair.inject(victim, Buffer.from(plain));
      const stream = pair.relay.openStream();
      const over = new PortholeError("closed", "The test is over");
      stream.write("x");
      await pair.client.incoming[Symbol.asyncIterator]().next();
      pair.client.destroy(over);
      pair.relay.destroy(over);
    });
  }
});
