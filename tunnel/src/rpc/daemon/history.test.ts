import assert from "node:assert/strict";
import { History } from "./history.ts";

const state = { endpoints: [] };

describe("history", () => {
  it("keeps the newest 200 entries of each tunnel, and forgets a tunnel", () => {
    const history = new History();
    for (let time = 1; time <= 250; time++) history.add("web", { time, event: "state", state });
    history.add("api", { time: 1, event: "state", state });
    const times = history.newest("web").map(({ time }) => time);
    assert.deepEqual([times.length, times[0], times.at(-1)], [200, 51, 250]);
    assert.deepEqual(
      history.newest("web", 2).map(({ time }) => time),
      [249, 250],
    );
    history.forget("web");
    assert.deepEqual(history.newest("web"), []);
    assert.equal(history.newest("api").length, 1);
  });

  it("drops the oldest tunnel beyond 200", () => {
    const history = new History();
    for (let index = 0; index < 250; index++) history.add(`tunnel ${index}`, { time: 1, event: "state", state });
    assert.equal(history.newest("tunnel 49").length, 0);
    assert.equal(history.newest("tunnel 50").length, 1);
  });
});
