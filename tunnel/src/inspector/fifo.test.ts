import assert from "node:assert/strict";
import { Fifo } from "./fifo.ts";

describe("first in, first out", () => {
  it("gives the oldest, and passes over the one to keep", () => {
    const fifo = new Fifo<string>();
    assert.equal(fifo.shiftBut("x"), undefined);
    for (const item of ["a", "b", "c"]) fifo.push(item);
    assert.equal(fifo.shiftBut("a"), "b");
    assert.equal(fifo.shiftBut("c"), "a");
    assert.equal(fifo.shiftBut("c"), undefined);
    fifo.push("d");
    assert.equal(fifo.shiftBut("c"), "d");
    assert.equal(fifo.shiftBut("d"), "c");
    assert.equal(fifo.shiftBut("d"), undefined);
  });

  it("does so for as long as one likes", () => {
    const fifo = new Fifo<number>();
    for (let index = 1; index <= 10_000; index++) {
      fifo.push(index);
      if (index > 5) assert.equal(fifo.shiftBut(0), index - 5);
    }
    fifo.clear();
    assert.equal(fifo.shiftBut(0), undefined);
  });
});
