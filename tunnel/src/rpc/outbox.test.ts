import assert from "node:assert/strict";
import type { ExchangeSummary, InspectorChanges, InspectorStatus } from "../inspector/index.ts";
import { Outbox } from "./outbox.ts";
import type { VisitView } from "./contract/index.ts";

const visit = { hostname: "a", traceId: "1" } as VisitView;
const line = (message: string) => ({ level: "info", message, time: 0 }) as const;

/** A reader that takes a notification only when it is told to. */
function slowReader() {
  const sent: [string, Record<string, unknown>][] = [];
  const waiting: (() => void)[] = [];
  const outbox = new Outbox(async (name, params) => {
    sent.push([name, params]);
    await new Promise<void>((resolve) => waiting.push(resolve));
  });
  return {
    outbox,
    sent,
    async drain() {
      const idle = outbox.idle().then(() => true);
      const turn = () => new Promise<false>((resolve) => setImmediate(() => resolve(false)));
      while (!(await Promise.race([idle, turn()]))) for (const resolve of waiting.splice(0)) resolve();
    },
  };
}

describe("notifications on their way out", () => {
  it("keep their order", async () => {
    const { outbox, sent, drain } = slowReader();
    outbox.log(line("first"));
    outbox.state({ id: "web", state: { endpoints: [] } });
    outbox.visit({ id: "web", visit });
    await drain();
    assert.deepEqual(
      sent.map(([name]) => name),
      ["log", "tunnel/state", "tunnel/visit"],
    );
  });

  it("are one state for each tunnel, the newest, when nobody reads", async () => {
    const { outbox, sent, drain } = slowReader();
    outbox.log(line("first"));
    for (let i = 0; i < 10_000; i++) {
      outbox.state({
        id: "one",
        state: { endpoints: [], ended: { error: { code: "x", message: `${i}`, retryable: false } } },
      });
      outbox.state({ id: "two", state: { endpoints: [] } });
    }
    await drain();
    assert.deepEqual(
      sent
        .slice(1)
        .map(([, { id, state }]) => [id, (state as { ended?: { error: { message: string } } }).ended?.error.message]),
      [
        ["one", "9999"],
        ["two", undefined],
      ],
    );
  });

  it("are at most so many visits and lines, and say how many are missing", async () => {
    const { outbox, sent, drain } = slowReader();
    for (let i = 0; i < 1_500; i++) outbox.visit({ id: "web", visit });
    outbox.log(line("lost"));
    await drain();
    assert.equal(sent.length, 1_000);
    outbox.visit({ id: "web", visit });
    outbox.visit({ id: "other", visit });
    outbox.log(line("kept"));
    await drain();
    assert.deepEqual(
      sent.slice(-3).map(([name, { id, missed }]) => [name, id, missed]),
      [
        ["tunnel/visit", "web", 500],
        ["tunnel/visit", "other", undefined],
        ["log", undefined, 1],
      ],
    );
  });

  it("are each recorded request once, with its present state, so many at a time", async () => {
    const { outbox, sent, drain } = slowReader();
    outbox.log(line("first"));
    const status = (exchanges: number) => ({ exchanges }) as InspectorStatus;
    const row = (seq: number, bytes: number) => ({ id: `${seq}`, seq, responseBytes: bytes }) as ExchangeSummary;
    for (let bytes = 0; bytes < 10; bytes++)
      outbox.inspect("web", {
        exchanges: Array.from({ length: 600 }, (_row, seq) => row(seq, bytes)),
        removed: [`${1_000 + bytes}`],
        status: status(bytes),
      });
    outbox.inspect("web", { exchanges: [], removed: ["5"], status: status(599) });
    await drain();
    const told = sent.slice(1).map(([, { changes }]) => changes as InspectorChanges);
    assert.deepEqual(
      told.map(({ exchanges, removed }) => [exchanges.length, removed.length]),
      [
        [500, 11],
        [99, 0],
      ],
    );
    assert.ok(
      told.every(({ exchanges }) => exchanges.every(({ id, responseBytes }) => id !== "5" && responseBytes === 9)),
    );
    assert.equal(told[0]?.status.exchanges, 599);
  });

  it("are dropped quietly when nobody is there", async () => {
    const outbox = new Outbox(() => Promise.reject(new Error("gone")));
    for (let i = 0; i < 5; i++) outbox.log(line("x"));
    await outbox.idle();
  });
});
