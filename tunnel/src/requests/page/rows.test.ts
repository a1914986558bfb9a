import assert from "node:assert/strict";
import type { ExchangeSummary, InspectorChanges } from "../../rpc/index.ts";
import { visible } from "./dom.ts";
import { bytes, duration } from "./format.ts";
import { isAsset, keyOf, Rows, type Row } from "./rows.ts";

const row = (seq: number, more: Partial<ExchangeSummary> = {}): ExchangeSummary =>
  ({ id: `e${seq}`, seq, method: "GET", target: "/", ...more }) as ExchangeSummary;

function changes(exchanges: readonly ExchangeSummary[], removed: readonly string[] = []): InspectorChanges {
  return { exchanges, removed } as unknown as InspectorChanges;
}

describe("the rows of the Requests view", () => {
  const numbers = (rows: Rows): number[] => rows.all.map(({ seq }) => seq);

  it("puts new ones on top, changes those that are there, and drops those that are gone", () => {
    const rows = new Rows();
    rows.add("a", [row(3), row(2)]);
    rows.add("a", [row(2), row(1)]);
    assert.deepEqual(numbers(rows), [3, 2, 1]);
    rows.apply("a", changes([row(2, { status: 200 }), row(4), row(5)], ["e1"]));
    assert.deepEqual(numbers(rows), [5, 4, 3, 2]);
    assert.equal(rows.find("a e2")?.status, 200);
    assert.deepEqual([rows.indexOf("a e5"), rows.indexOf("a e2"), rows.indexOf("a e1")], [0, 3, -1]);
  });

  it("puts one that changes before it has been read where it belongs", () => {
    const rows = new Rows();
    rows.add("a", [row(6), row(5)]);
    rows.apply("a", changes([row(2, { status: 200 }), row(7)]));
    assert.deepEqual(numbers(rows), [7, 6, 5, 2]);
    rows.add("a", [row(4), row(2), row(1)]);
    assert.deepEqual(numbers(rows), [7, 6, 5, 4, 2, 1]);
    rows.apply("a", changes([row(2, { status: 204 })]));
    assert.equal(rows.all[rows.indexOf("a e2")]?.status, 204);
  });

  it("finds its way in a list with gaps", () => {
    const rows = new Rows();
    rows.add(
      "a",
      [90, 70, 40, 10, 2].map((seq) => row(seq)),
    );
    for (const seq of [90, 70, 40, 10, 2]) {
      rows.apply("a", changes([row(seq, { status: 204 })]));
      assert.equal(rows.find(`a e${seq}`)?.status, 204);
    }
    assert.deepEqual(numbers(rows), [90, 70, 40, 10, 2]);
  });
});

describe("the rows of several ports", () => {
  it("are in one list by their time, and those of each by their number", () => {
    const rows = new Rows();
    rows.add("a", [row(2, { startedAt: 30 }), row(1, { startedAt: 10 })]);
    rows.add("b", [row(2, { startedAt: 20 })]);
    assert.deepEqual(rows.all.map(keyOf), ["a e2", "b e2", "a e1"]);
    rows.apply("b", changes([row(3, { startedAt: 40 })], ["e2"]));
    assert.deepEqual(rows.all.map(keyOf), ["b e3", "a e2", "a e1"]);
  });

  it("go away when they turn out to be assets, where those are hidden", () => {
    const rows = new Rows();
    rows.isShown = (each: Row) => !isAsset(each);
    rows.add("a", [row(1, { kind: "http", target: "/app" }), row(2, { kind: "http", target: "/logo.svg?v=1" })]);
    assert.deepEqual(rows.all.map(keyOf), ["a e1"]);
    rows.apply("a", changes([row(1, { kind: "http", target: "/app", responseType: "text/css" })]));
    assert.deepEqual(rows.all, []);
  });

  for (const [more, expected] of [
    [{ responseType: "text/html", target: "/logo.png" }, false],
    [{ responseType: "image/png", target: "/picture" }, true],
    [{ responseType: "text/javascript", target: "/src/App.vue" }, true],
    [{ responseType: "application/json", target: "/a.js" }, false],
    [{ target: "/@vite/client" }, true],
    [{ target: "/assets/index-1.js" }, true],
    [{ target: "/api/orders" }, false],
    [{ target: "/a.js", method: "POST" }, false],
    [{ target: "/a.js", kind: "websocket" }, false],
  ] as const)
    it(`${expected ? "hides" : "keeps"} ${JSON.stringify(more)}`, () =>
      assert.equal(isAsset(row(1, { kind: "http", ...more })), expected));
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
});
