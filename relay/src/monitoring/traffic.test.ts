import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { Traffic } from "./traffic.ts";

function visitor(bytesRead: number, bytesWritten: number) {
  return Object.assign(new EventEmitter(), { bytesRead, bytesWritten });
}

describe("traffic", () => {
  it("counts visitors who are there and who have left", () => {
    const traffic = new Traffic();
    const [first, second] = [visitor(1, 10), visitor(2, 20)];
    traffic.add(first);
    traffic.add(second);
    assert.deepEqual([traffic.visitors, traffic.bytesIn, traffic.bytesOut], [2, 3, 30]);
    second.bytesRead = 5;
    first.emit("close");
    assert.deepEqual([traffic.visitors, traffic.bytesIn, traffic.bytesOut], [2, 6, 30]);
    second.emit("close");
    // What has left is not asked any more.
    first.bytesRead = second.bytesRead = 1_000;
    assert.deepEqual([traffic.visitors, traffic.bytesIn, traffic.bytesOut], [2, 6, 30]);
  });
});
