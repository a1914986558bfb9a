import assert from "node:assert/strict";
import type { Clock } from "../../../../util/clock.ts";
import { loadBinding } from "../binding.ts";
import { openAdmission, PacketGate, type Admission, type PacketGateOptions, type Verdict } from "./packet-gate.ts";
import { connectionIdBytes } from "../../ticket.ts";
import { readLongHeader } from "../packet.ts";
import { RetryTokens } from "./retry-token.ts";

const from = { address: "192.0.2.1", port: 5555 };

function initial(options: { version?: number; token?: Buffer; destinationId?: Buffer; length?: number } = {}): Buffer {
  const { version = 1, token = Buffer.alloc(0), destinationId = Buffer.alloc(16, 1), length = 1200 } = options;
  const sourceId = Buffer.alloc(20, 2);
  const header = Buffer.concat([
    Buffer.from([0xc0, 0, 0, 0, version, destinationId.length]),
    destinationId,
    Buffer.from([sourceId.length]),
    sourceId,
    Buffer.from([0x40 | (token.length >> 8), token.length & 0xff]),
    token,
  ]);
  return Buffer.concat([header, Buffer.alloc(Math.max(0, length - header.length))]);
}

class StoppedClock implements Clock {
  ms = 1_000_000;
  now(): number {
    return this.ms;
  }
  monotonic(): number {
    return this.ms;
  }
  timer(): never {
    throw new Error("The gate has no timers");
  }
}

describe("quic packet gate", () => {
  const clock = new StoppedClock();

  function gate(options: Partial<PacketGateOptions> = {}): PacketGate {
    return new PacketGate({ binding: loadBinding(), clock, admission: openAdmission, maxHandshakes: 128, ...options });
  }

  function judge(datagram: Buffer, options: Partial<PacketGateOptions> = {}, handshakes = 0): string {
    const verdict = gate(options).judge(datagram, from, handshakes);
    return verdict.kind === "drop" ? verdict.reason : verdict.kind;
  }

  it("answers a first Initial with a Retry that is far smaller", () => {
    const verdict = gate().judge(initial(), from, 0);
    assert.equal(verdict.kind, "answer");
    assert.ok(verdict.packet.length < 200);
    assert.equal(verdict.packet.readUInt8(0) & 0xf0, 0xf0);
  });

  it("accepts who comes back with the token, and knows the first id again", () => {
    const door = gate();
    const { token, newId } = retryOf(door.judge(initial(), from, 0));
    const verdict = door.judge(initial({ token, destinationId: newId }), from, 0);
    assert.equal(verdict.kind, "accept");
    assert.deepEqual(verdict.id, newId);
    assert.deepEqual(verdict.originalId, Buffer.alloc(16, 1));
  });

  it("drops the token when it comes from another address or port, or with another id", () => {
    const door = gate();
    const { token, newId } = retryOf(door.judge(initial(), from, 0));
    const packet = initial({ token, destinationId: newId });
    assert.deepEqual(door.judge(packet, { ...from, port: 5556 }, 0), { kind: "drop", reason: "bad-token" });
    assert.deepEqual(door.judge(packet, { ...from, address: "192.0.2.2" }, 0), { kind: "drop", reason: "bad-token" });
    const other = initial({ token, destinationId: Buffer.alloc(connectionIdBytes, 9) });
    assert.deepEqual(door.judge(other, from, 0), { kind: "drop", reason: "bad-token" });
  });

  it("drops an expired token, and another listener's", () => {
    const door = gate();
    const { token, newId } = retryOf(door.judge(initial(), from, 0));
    const packet = initial({ token, destinationId: newId });
    assert.equal(gate().judge(packet, from, 0).kind, "drop");
    clock.ms += 9_000;
    assert.equal(door.judge(packet, from, 0).kind, "accept");
    clock.ms += 2_000;
    assert.deepEqual(door.judge(packet, from, 0), { kind: "drop", reason: "bad-token" });
  });

  it("negotiates the version with full-sized packets only, and never answers an answer", () => {
    assert.equal(judge(initial({ version: 0x1a })), "answer");
    assert.equal(judge(initial({ version: 0x1a, length: 1199 })), "short-initial");
    assert.equal(judge(initial({ version: 0 })), "no-connection");
  });

  it("drops what can't begin a connection", () => {
    assert.equal(judge(initial({ length: 1199 })), "short-initial");
    assert.equal(judge(Buffer.alloc(1200, 0x41)), "no-connection");
    assert.equal(judge(Buffer.alloc(0)), "no-connection");
    assert.equal(judge(Buffer.alloc(3, 0xc0)), "malformed");
    assert.equal(judge(initial({ destinationId: Buffer.alloc(7) })), "malformed");
    assert.equal(judge(initial({ destinationId: Buffer.alloc(21) })), "malformed");
    const handshake = initial();
    handshake[0] = 0xe0;
    assert.equal(judge(handshake), "no-connection");
  });

  it("asks for admission first, with the client's own id, and bounds the handshakes", () => {
    const seen: string[] = [];
    const admission: Admission = {
      ...openAdmission,
      refuses(sourceId) {
        seen.push(sourceId.toString("hex"));
        return "no-ticket";
      },
    };
    assert.equal(judge(initial(), { admission }), "no-ticket");
    assert.deepEqual(seen, ["02".repeat(20)]);
    assert.equal(judge(initial(), { maxHandshakes: 2 }, 1), "answer");
    assert.equal(judge(initial(), { maxHandshakes: 2 }, 2), "handshakes");
  });

  it("answers only so many strangers a second", () => {
    const door = gate();
    const answered = (): number => {
      for (let count = 0; ; count++) if (door.judge(initial(), from, 0).kind !== "answer") return count;
    };
    assert.equal(answered(), 100, "at once");
    let inASecond = 0;
    for (let ms = 0; ms < 1_000; ms++) {
      clock.ms += 1;
      inASecond += answered();
    }
    assert.equal(inASecond, 2_000);
    clock.ms += 60_000;
    assert.equal(answered(), 100, "nothing is saved up");
  });
});

describe("retry tokens", () => {
  it("are refused whatever byte of them is changed, and cut short", () => {
    const tokens = new RetryTokens(new StoppedClock());
    const id = Buffer.alloc(8, 1);
    const newId = Buffer.alloc(20, 2);
    const token = tokens.mint(from, id, newId);
    assert.deepEqual(tokens.verify(token, from, newId), id);
    for (let i = 0; i < token.length; i++) {
      const forged = Buffer.from(token);
      forged.writeUInt8(forged.readUInt8(i) ^ 1, i);
      assert.equal(tokens.verify(forged, from, newId), undefined);
      assert.equal(tokens.verify(token.subarray(0, i), from, newId), undefined);
    }
  });
});

function retryOf(verdict: Verdict): { token: Buffer; newId: Buffer } {
  assert.equal(verdict.kind, "answer");
  const header = readLongHeader(verdict.packet);
  assert.ok(header);
  // [header][token][integrity tag, 16 bytes]: RFC 9000 section 17.2.5.
  const start = 7 + header.destinationId.length + header.sourceId.length;
  return { newId: header.sourceId, token: verdict.packet.subarray(start, -16) };
}
