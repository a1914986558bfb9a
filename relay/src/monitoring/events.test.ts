import assert from "node:assert/strict";
import { FakeClock } from "@porthole/testing";
import { Events, maxHistory, type RelayEvent } from "./events.ts";

describe("the events of a relay", () => {
  it("are numbered, kept up to a bound, and read on from a position", () => {
    const heard: RelayEvent[] = [];
    const events = new Events(new FakeClock(), (event) => void heard.push(event));
    events.record({ type: "joined", client: "a" });
    const first = events.since(undefined);
    assert.deepEqual(first, { run: events.run, events: heard, missed: 0 });
    assert.match(heard[0]?.time ?? "", /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.deepEqual(events.since({ run: events.run, after: 1 }), { run: events.run, events: [], missed: 0 });

    for (let count = 0; count < maxHistory + 9; count++) events.record({ type: "refused" });
    const later = events.since({ run: events.run, after: 1 });
    assert.equal(later.events.length, maxHistory);
    assert.equal(later.missed, 9);
    assert.equal(later.events.at(-1)?.id, maxHistory + 10);
    assert.equal(heard.length, maxHistory + 10);
  });

  it("are all new to a reader of an earlier run, or one whose position is nonsense", () => {
    const events = new Events(new FakeClock());
    events.record({ type: "joined" });
    for (const position of [{ run: "another", after: 500 }, {}, { run: events.run, after: Number.NaN }])
      assert.equal(events.since(position).events.length, 1);
  });
});
