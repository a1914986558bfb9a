import assert from "node:assert/strict";
import type { PortholeError } from "@porthole/common/errors";
import { FakeClock } from "@porthole/testing/fake-clock";
import { limits } from "./limits.ts";
import { UnreadAnswers, type Unread, type UnreadConnection } from "./unread-answers.ts";

const kibi = 1024;
const bounds = { maxConnectionBytes: 200 * kibi, maxBytes: 1000 * kibi, patienceMs: 60_000 };

class Waiting implements Unread {
  unreadBytes: number;
  takenBytes = 0;
  error: PortholeError | undefined;

  constructor(unreadBytes: number) {
    this.unreadBytes = unreadBytes;
  }

  giveUp(error: PortholeError): void {
    this.error = error;
    this.unreadBytes = 0;
  }
}

class Multiplexed implements UnreadConnection {
  readonly answers: ReadonlySet<Waiting>;
  readonly takenBytes = 0;
  hasEnded = false;

  constructor(...sizes: number[]) {
    this.answers = new Set(sizes.map((size) => new Waiting(size)));
  }

  get unreadBytes(): number {
    return [...this.answers].reduce((sum, { unreadBytes }) => sum + unreadBytes, 0);
  }

  giveUp(): void {
    this.hasEnded = true;
  }

  get left(): number[] {
    return [...this.answers].filter(({ error }) => !error).map(({ unreadBytes }) => unreadBytes / kibi);
  }
}

describe("unread answers", () => {
  const clock = new FakeClock();
  /** Enough to make it look. */
  const look = (unread: UnreadAnswers): void => unread.written(bounds.maxBytes);

  it("are left alone below the bounds, and no timer runs", () => {
    const unread = new UnreadAnswers(bounds, clock);
    const connections = Array.from({ length: 10 }, () => new Waiting(49 * kibi));
    for (const connection of connections) unread.watch(connection);
    look(unread);
    assert.equal(unread.bytes, 490 * kibi);
    assert.ok(connections.every(({ error }) => !error));
    assert.equal(clock.pending, 0);
  });

  it("are ended where one connection has too many, its largest first", () => {
    const unread = new UnreadAnswers(bounds, clock);
    const one = new Multiplexed(...[50, 90, 60, 40].map((size) => size * kibi));
    const other = new Multiplexed(200 * kibi);
    unread.watch(one);
    unread.watch(other);
    look(unread);
    assert.deepEqual(one.left, [50, 60, 40]);
    assert.deepEqual(other.left, [200]);
    assert.equal(unread.ended, 1);
    assert.equal([...one.answers][1]?.error?.code, "limit");
  });

  it("are ended in all, those of the connection that holds the most first", async () => {
    const unread = new UnreadAnswers(bounds, clock);
    const greedy = new Multiplexed(...Array.from({ length: 19 }, () => 10 * kibi));
    const large = new Waiting(195 * kibi);
    const modest = Array.from({ length: 30 }, () => new Waiting(22 * kibi));
    const stop = [greedy, large, ...modest].map((connection) => unread.watch(connection));
    look(unread);
    assert.ok(unread.bytes <= (bounds.maxBytes * 7) / 8, `${unread.bytes} wait`);
    assert.ok(large.error);
    assert.ok(greedy.left.length > 0 && !greedy.hasEnded, "a connection loses answers one by one");
    assert.ok(modest.every(({ error }) => !error));
    for (const each of stop) each();
    assert.deepEqual([unread.bytes, unread.connections, clock.pending], [0, 0, 0]);
  });

  it("that nobody takes are ended only while memory is short", async () => {
    const unread = new UnreadAnswers(bounds, clock);
    const stuck = new Waiting(150 * kibi);
    const slow = new Waiting(150 * kibi);
    const crowd = Array.from({ length: 4 }, () => new Waiting(100 * kibi));
    const stop = [stuck, slow, ...crowd].map((connection) => unread.watch(connection));
    look(unread);
    for (let second = 0; second < 2 * (bounds.patienceMs / 1_000); second++) {
      for (const reader of [slow, ...crowd]) reader.takenBytes += 1;
      await clock.advance(limits.unreadCheckMs);
    }
    assert.equal(stuck.error?.code, "limit");
    assert.ok([slow, ...crowd].every(({ error }) => !error));
    for (const reader of crowd) reader.unreadBytes = 0;
    await clock.advance(2 * bounds.patienceMs);
    assert.equal(slow.error, undefined);
    assert.equal(clock.pending, 0);
    for (const each of stop) each();
  });

  it("that wait in the socket alone end the connection", () => {
    const unread = new UnreadAnswers(bounds, clock);
    const connection = Object.defineProperty(new Multiplexed(), "unreadBytes", { value: 300 * kibi });
    unread.watch(connection);
    look(unread);
    assert.ok(connection.hasEnded);
  });
});
