import assert from "node:assert/strict";
import type { ExchangeSummary, InspectorChanges } from "@porthole/tunnel/rpc";
import { visible } from "./dom.ts";
import { parseHeaders } from "./edit.ts";
import { bytes, duration } from "./format.ts";
import { CallError } from "./host.ts";
import { Rows } from "./rows.ts";

const row = (seq: number, more: Partial<ExchangeSummary> = {}): ExchangeSummary =>
  ({ id: `e${seq}`, seq, method: "GET", target: "/", ...more }) as ExchangeSummary;

function changes(exchanges: readonly ExchangeSummary[], removed: readonly string[] = []): InspectorChanges {
  return { exchanges, removed } as unknown as InspectorChanges;
}

describe("the rows of the Requests view", () => {
  const numbers = (rows: Rows): number[] => rows.all.map(({ seq }) => seq);

  it("puts new ones on top, changes those that are there, and drops those that are gone", () => {
    const rows = new Rows();
    rows.replace([row(3), row(2)]);
    rows.append([row(2), row(1)]);
    assert.deepEqual(numbers(rows), [3, 2, 1]);
    rows.apply(changes([row(2, { status: 200 }), row(4), row(5)], ["e1"]));
    assert.deepEqual(numbers(rows), [5, 4, 3, 2]);
    assert.equal(rows.find("e2")?.status, 200);
    assert.deepEqual([rows.indexOf("e5"), rows.indexOf("e2"), rows.indexOf("e1")], [0, 3, -1]);
  });

  it("puts one that changes before it has been read where it belongs", () => {
    const rows = new Rows();
    rows.replace([row(6), row(5)]);
    rows.apply(changes([row(2, { status: 200 }), row(7)]));
    assert.deepEqual(numbers(rows), [7, 6, 5, 2]);
    rows.append([row(4), row(2), row(1)]);
    assert.deepEqual(numbers(rows), [7, 6, 5, 4, 2, 1]);
    rows.apply(changes([row(2, { status: 204 })]));
    assert.equal(rows.all[rows.indexOf("e2")]?.status, 204);
  });

  it("finds its way in a list with gaps", () => {
    const rows = new Rows();
    rows.replace([90, 70, 40, 10, 2].map((seq) => row(seq)));
    for (const seq of [90, 70, 40, 10, 2]) {
      rows.apply(changes([row(seq, { status: 204 })]));
      assert.equal(rows.find(`e${seq}`)?.status, 204);
    }
    assert.deepEqual(numbers(rows), [90, 70, 40, 10, 2]);
  });
});

describe("what the Requests view shows", () => {
  it("makes visible what steers a terminal or turns text round", () => {
    assert.equal(visible("a\u001b[31mb\u202ec\u0000"), "a\\u{1b}[31mb\\u{202e}c\\u{0}");
    assert.equal(visible("zwei\nZeilen\tund ü"), "zwei\nZeilen\tund ü");
  });

  it("writes sizes and times", () => {
    assert.deepEqual([bytes(0), bytes(999), bytes(1_500), bytes(2_000_000)], ["0 B", "999 B", "1.5 kB", "2.0 MB"]);
    assert.deepEqual([duration(1.25), duration(250), duration(12_000)], ["1.3 ms", "250 ms", "12.0 s"]);
  });

  it("reads headers that were edited, and leaves none out", () => {
    assert.deepEqual(parseHeaders("Host: a\nX-Empty:\n\nx-two:  a: b \n"), [
      { name: "Host", value: "a" },
      { name: "X-Empty", value: "" },
      { name: "x-two", value: "a: b" },
    ]);
    assert.throws(() => parseHeaders("Host a"), { constructor: CallError, message: /not a header: Host a/ });
  });
});
