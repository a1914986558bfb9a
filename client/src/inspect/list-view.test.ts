import assert from "node:assert/strict";
import type { ExchangeSummary, InspectorChanges, InspectorStatus } from "@porthole/tunnel/rpc";
import { widthOf } from "./columns.ts";
import { ListView, type ListAction } from "./list-view.ts";
import { plainPaint } from "./row.ts";

const size = { columns: 110, rows: 10 };
const status: InspectorStatus = {
  ...{ recording: true, exchanges: 3, maxExchanges: 10, bytes: 1_000, maxBytes: 2_000, maxBodyBytes: 100, evicted: 0 },
};

function row(seq: number, change: Partial<ExchangeSummary> = {}): ExchangeSummary {
  const what = { kind: "http", state: "done", method: "GET", target: `/${seq}`, status: 200, durationMs: 5 } as const;
  const where = {
    endpoint: "primary",
    scheme: "https",
    hostname: "a.example",
    httpVersion: "2",
    traceId: "t",
  } as const;
  const visitor = { address: "192.0.2.1" };
  return {
    id: String(seq),
    seq,
    startedAt: 0,
    requestBytes: 0,
    responseBytes: 10,
    visitor,
    ...what,
    ...where,
    ...change,
  };
}

function changes(exchanges: readonly ExchangeSummary[], removed: readonly string[] = []): InspectorChanges {
  return { exchanges, removed, status };
}

describe("the list of requests in a terminal", () => {
  let list: ListView;

  beforeEach(() => {
    list = new ListView();
    list.replace({ version: 1, exchanges: [row(3), row(2), row(1)], more: false, status });
  });

  const press = (name: string, text = name): ListAction | undefined => list.onKey({ name, text, ctrl: false }, size);
  const shown = (): string[] =>
    list
      .lines(size, plainPaint)
      .slice(2)
      .flatMap((line) => / {2}(\/\S+) /.exec(line)?.[1] ?? []);

  it("has new requests on top, changed ones in place, and loses those that are gone", () => {
    list.apply(changes([row(2, { target: "/2b" }), row(4), row(5)], ["1"]));
    assert.deepEqual(shown(), ["/5", "/4", "/3", "/2b"]);
    // What came between the first list and the first change is told twice.
    list.apply(changes([row(5)]));
    assert.deepEqual(shown(), ["/5", "/4", "/3", "/2b"]);
  });

  it("stays at the chosen request while others come, and follows at the top", () => {
    assert.equal(list.chosen, "3");
    list.apply(changes([row(4)]));
    assert.equal(list.chosen, "4");
    press("down");
    list.apply(changes([row(5)]));
    assert.equal(list.chosen, "3");
    press("home");
    assert.equal(list.chosen, "5");
    press("g", "G");
    assert.equal(list.chosen, "1");
    press("down");
    assert.equal(list.chosen, "1");
  });

  it("scrolls with what is chosen", () => {
    list.replace({
      version: 1,
      exchanges: Array.from({ length: 50 }, (_, index) => row(50 - index)),
      more: false,
      status,
    });
    assert.deepEqual(shown(), ["/50", "/49", "/48", "/47", "/46", "/45"]);
    press("pagedown");
    press("down");
    assert.deepEqual(shown(), ["/48", "/47", "/46", "/45", "/44", "/43"]);
    press("up");
    press("g");
    assert.deepEqual(shown()[0], "/50");
  });

  it("asks its owner for everything else", () => {
    press("down");
    assert.deepEqual(press("return"), { do: "open", id: "2" });
    assert.deepEqual(press("r"), { do: "replay", id: "2" });
    assert.deepEqual(press("e"), { do: "edit", id: "2" });
    assert.deepEqual(press("c"), { do: "curl", id: "2" });
    assert.deepEqual(press("p"), { do: "pause" });
    assert.deepEqual(press("q"), { do: "quit" });
    assert.equal(press("z"), undefined);
    const empty = new ListView();
    assert.equal(empty.onKey({ name: "return", text: "\r", ctrl: false }, size), undefined);
    assert.match(empty.lines(size, plainPaint).join("\n"), /No requests yet/);
  });

  it("takes a filter, and then lets the client say which rows fit", () => {
    press("", "/");
    for (const char of "a:q") assert.deepEqual(press(char), { do: "refresh" });
    assert.equal(list.filter, "a:q");
    assert.match(list.lines(size, plainPaint).join("\n"), /\/ a:q▏/);
    press("backspace", "\x7f");
    assert.equal(list.filter, "a:");
    press("return", "\r");
    assert.equal(list.needsAsking, true);
    list.apply(changes([row(2, { target: "/new" }), row(9)], ["3"]));
    assert.deepEqual(shown(), ["/new", "/1"]);
    assert.deepEqual(press("escape", "\x1b"), { do: "refresh" });
    assert.equal(list.needsAsking, false);
  });

  it("fits the terminal, whatever visitors sent", () => {
    list.apply(
      changes([
        row(4, {
          target: `/\u001b[2J\u202e${"日".repeat(200)}`,
          method: "M".repeat(50),
          visitor: { address: "\u009bx" },
        }),
      ]),
    );
    for (const columns of [60, 80, 100, 200]) {
      const lines = list.lines({ columns, rows: 10 }, plainPaint);
      assert.equal(lines.length, 10);
      for (const line of lines) {
        assert.ok(widthOf(line) <= columns, `${widthOf(line)} of ${columns}: ${line}`);
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}]/u);
      }
    }
  });
});
