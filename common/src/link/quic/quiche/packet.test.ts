import assert from "node:assert/strict";
import { destinationKey, readLongHeader, versionNegotiation } from "./packet.ts";
import { PeerStreamIds } from "./peer-stream-ids.ts";

/** An Initial's header, after RFC 9000 section 17.2.2. */
function initial(token: Buffer, tokenLength: Buffer, version = 1): Buffer {
  const head = Buffer.from([0xc3, 0, 0, 0, version, 8, ...Buffer.alloc(8, 0xd1), 4, ...Buffer.alloc(4, 0x5c)]);
  return Buffer.concat([head, tokenLength, token, Buffer.alloc(20)]);
}

describe("quic packet headers", () => {
  it("reads an Initial", () => {
    const header = readLongHeader(initial(Buffer.from("abc"), Buffer.from([3])));
    assert.ok(header?.isInitial);
    assert.equal(header.destinationId.toString("hex"), "d1".repeat(8));
    assert.equal(header.sourceId.toString("hex"), "5c".repeat(4));
    assert.equal(header.token.toString(), "abc");
  });

  it("reads a token whose length has two bytes", () => {
    const header = readLongHeader(initial(Buffer.alloc(100, 7), Buffer.from([0x40, 100])));
    assert.equal(header?.token.length, 100);
  });

  const broken: Record<string, Buffer> = {
    nothing: Buffer.alloc(0),
    "a short header": Buffer.alloc(40, 0x40),
    "a destination id that is longer than the packet": Buffer.from([0xc0, 0, 0, 0, 1, 20, 1, 2, 3]),
    "no source id": Buffer.from([0xc0, 0, 0, 0, 1, 1, 9]),
    "a token that is longer than the packet": initial(Buffer.alloc(1), Buffer.from([0x7f, 0xff])),
    "a token length of eight bytes": initial(Buffer.alloc(1), Buffer.from([0xff])),
    "no token length": initial(Buffer.alloc(0), Buffer.alloc(0)).subarray(0, 19),
  };
  for (const [name, datagram] of Object.entries(broken)) {
    it(`refuses ${name}`, () => assert.equal(readLongHeader(datagram), undefined));
  }

  it("reads the ids of a version that it doesn't know, and takes it for no Initial", () => {
    const header = readLongHeader(initial(Buffer.alloc(0), Buffer.from([0xff]), 0x1a));
    assert.equal(header?.isInitial, false);
    assert.equal(header?.version, 0x1a);
  });

  it("answers with the ids exchanged and the one version it speaks", () => {
    const header = readLongHeader(initial(Buffer.alloc(0), Buffer.from([0]), 0x1a));
    assert.ok(header);
    const answer = versionNegotiation(header);
    assert.equal(answer.toString("hex"), `c00000000004${"5c".repeat(4)}08${"d1".repeat(8)}00000001`);
  });

  it("finds the connection of a packet by an id of our length only", () => {
    const id = Buffer.alloc(20, 0xaa);
    const short = Buffer.concat([Buffer.from([0x40]), id, Buffer.alloc(10)]);
    const long = Buffer.concat([Buffer.from([0xe0, 0, 0, 0, 1, 20]), id, Buffer.alloc(10)]);
    assert.equal(destinationKey(short), id.toString("latin1"));
    assert.equal(destinationKey(long), id.toString("latin1"));
    assert.equal(destinationKey(short.subarray(0, 21)), undefined);
    assert.equal(destinationKey(initial(Buffer.alloc(0), Buffer.from([0]))), undefined);
    assert.equal(destinationKey(Buffer.alloc(0)), undefined);
  });
});

describe("peer's stream ids", () => {
  it("are new once each, in any order", () => {
    const ids = new PeerStreamIds(1);
    assert.deepEqual(
      [9, 1, 9, 5, 5, 1, 13, 0, 2].map((id) => ids.isNew(id)),
      [true, true, false, true, false, false, true, false, false],
    );
  });
});
