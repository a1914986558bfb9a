import assert from "node:assert/strict";
import type { Logger } from "@porthole/common/log";
import { FakeClock } from "@porthole/testing";
import { LimitLog, type LimitEvent } from "./limit-log.ts";

describe("the log of limits", () => {
  let clock: FakeClock;
  let lines: [object, string][];
  let events: LimitEvent[];
  let log: LimitLog;

  beforeEach(() => {
    clock = new FakeClock();
    lines = [];
    events = [];
    const line = (fields: object, text: string): void => void lines.push([fields, text]);
    const logger: Logger = { debug: line, info: line, warn: line, error: line };
    log = new LimitLog(clock, logger, (event) => void events.push(event));
  });

  it("has one line a minute for each limit and address, with the number of those without one", async () => {
    for (let i = 0; i < 1_000; i++) log.reached("visitors-per-address", "192.0.2.1");
    log.reached("penalty", "192.0.2.1");
    await clock.advance(60_000);
    log.reached("visitors-per-address", "192.0.2.1");
    assert.deepEqual(lines, [
      [{ limit: "visitors-per-address", source: "192.0.2.1" }, "Turned away by --visitors-per-address"],
      [{ limit: "penalty", source: "192.0.2.1" }, "Turned away by --max-penalty"],
      [{ limit: "visitors-per-address", source: "192.0.2.1", before: 999 }, "Turned away by --visitors-per-address"],
    ]);
    assert.deepEqual(
      events,
      lines.map(([fields]) => ({ type: "limited", ...fields })),
    );
  });

  it("has few lines however many addresses come", async () => {
    for (let i = 0; i < 1_000; i++) log.reached("penalty", `source ${i}`);
    assert.equal(lines.length, 10);
    await clock.advance(1_000);
    for (let i = 0; i < 1_000; i++) log.reached("penalty", `later source ${i}`);
    assert.equal(lines.length, 15);
    assert.equal(events.length, 15, "events are as few");
  });

  it("says who is kept out, why, and how to lift it", () => {
    log.held({ source: "192.0.2.1", leftMs: 18_000.4, code: "timeout", times: 2 });
    const [[fields, text] = [{}, ""]] = lines;
    assert.deepEqual(fields, { source: "192.0.2.1", code: "timeout", times: 2, leftMs: 18_000 });
    assert.deepEqual(events, [{ type: "kept-out", source: "192.0.2.1", code: "timeout", forMs: 18_000 }]);
    assert.match(
      text,
      /^192\.0\.2\.1 is kept out for 19 s: 2 connections .* porthole-relay unblock 192\.0\.2\.1 lifts it$/,
    );
  });
});
