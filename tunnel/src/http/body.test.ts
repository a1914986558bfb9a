import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { Body } from "./body.ts";

/** A body, and how often its source was told to wait and to continue. */
function open() {
  const calls: string[] = [];
  const body = new Body({ pause: () => calls.push("pause"), resume: () => calls.push("resume") });
  return { body, calls };
}

function sink() {
  const seen: string[] = [];
  const state = { canTake: true, drain: (): void => {} };
  return {
    seen,
    state,
    write(chunk: Buffer): boolean {
      seen.push(chunk.toString());
      return state.canTake;
    },
    onDrain: (callback: () => void) => void (state.drain = callback),
    end: () => void seen.push("end"),
    fail: (error: PortholeError) => void seen.push(error.code),
  };
}

describe("a body", () => {
  it("passes on what comes, and holds its source up while its sink is behind", () => {
    const { body, calls } = open();
    const to = sink();
    body.carry(to);
    body.push(Buffer.from("a"));
    to.state.canTake = false;
    body.push(Buffer.from("b"));
    assert.deepEqual(calls, ["pause"]);
    assert.equal(body.isHeldUp, true);
    to.state.drain();
    assert.deepEqual(calls, ["pause", "resume"]);
    body.finish([]);
    assert.deepEqual(to.seen, ["a", "b", "end"]);
  });

  it("holds what comes before anybody takes it", () => {
    const { body, calls } = open();
    body.push(Buffer.from("a"));
    assert.deepEqual(calls, ["pause"]);
    body.finish([]);
    const to = sink();
    body.carry(to);
    assert.deepEqual(to.seen, ["a", "end"]);
  });

  it("shows its bytes before they are carried, and tells how many are held", async () => {
    const { body } = open();
    const held: number[] = [];
    const peeked = body.peek(10, undefined, (bytes) => held.push(bytes));
    body.push(Buffer.from("ab"));
    body.push(Buffer.from("c"));
    body.finish([]);
    const { bytes, isWhole } = await peeked;
    assert.deepEqual([bytes.toString(), isWhole, held], ["abc", true, [0, 2, 3, 3]]);
    const to = sink();
    body.carry(to);
    assert.deepEqual(to.seen, ["ab", "c", "end"]);
  });

  it("keeps nobody waiting who looks at it when the visitor leaves or the request is over", async () => {
    const left = open().body;
    const first = left.peek(10);
    left.breakOff(new PortholeError("aborted", "The visitor left"));
    await assert.rejects(first, { code: "aborted" });
    const over = open().body;
    const second = over.peek(10);
    over.push(Buffer.from("a"));
    over.discard();
    await assert.rejects(second, { code: "aborted" });
  });

  it("that breaks off is never whole", () => {
    const { body } = open();
    const to = sink();
    body.carry(to);
    body.breakOff(new PortholeError("closed", "The service left"));
    body.finish([]);
    assert.deepEqual(to.seen, ["closed"]);
  });
});
