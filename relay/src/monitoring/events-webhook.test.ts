import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { silentLogger } from "@porthole/common/log";
import { Secret } from "@porthole/common/util";
import { FakeClock, until } from "@porthole/testing";
import { Events } from "./events.ts";
import { EventsWebhook, maxQueued } from "./events-webhook.ts";

const secret = new Secret("a secret of the two of them");

interface Body {
  readonly run: string;
  readonly dropped: number;
  readonly events: readonly { readonly id: number }[];
}

describe("the events webhook", () => {
  let server: http.Server;
  let clock: FakeClock;
  let webhook: EventsWebhook;
  let events: Events;
  let bodies: Body[];
  let answer: (response: ServerResponse, request: IncomingMessage, body: string) => unknown;

  beforeEach(async () => {
    bodies = [];
    answer = (response) => response.end();
    server = http.createServer(async (request, response) => {
      const body = await text(request);
      bodies.push(JSON.parse(body) as Body);
      answer(response, request, body);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`;
    clock = new FakeClock();
    webhook = new EventsWebhook({ url, secret }, { clock, log: silentLogger });
    events = new Events(clock, (event) => webhook.add(events.run, event));
  });
  afterEach(async () => {
    await webhook.close();
    assert.equal(clock.pending, 0, "a timer is left");
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });

  const record = (count: number): void => {
    for (let index = 0; index < count; index++) events.record({ type: "connected", label: "Ada" });
  };
  const ids = (): number[] => bodies.flatMap((body) => body.events.map(({ id }) => id));

  it("gets all that happens, signed, in order, some at a time", async () => {
    answer = (response, { headers }, body) => {
      const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["porthole-signature"])) ?? [];
      const expected = createHmac("sha256", secret.reveal()).update(`${time}.${body}`).digest("hex");
      response.writeHead(signature === expected ? 204 : 401).end();
    };
    record(250);
    await until(() => ids().length === 250, "all are there");
    assert.deepEqual(
      ids(),
      Array.from({ length: 250 }, (_each, index) => index + 1),
    );
    assert.deepEqual(
      bodies.map(({ events: { length } }) => length),
      [100, 100, 50],
    );
    assert.ok(bodies.every(({ run, dropped }) => run === events.run && dropped === 0));
    record(1);
    await until(() => ids().length === 251, "the next one is there");
  });

  for (const [what, fault] of [
    ["fails", (response: ServerResponse) => response.writeHead(500).end()],
    ["hangs up", (response: ServerResponse) => response.destroy()],
    ["is silent", () => {}],
  ] as const)
    it(`gets them again when it ${what}, and the oldest are dropped, and counted, beyond the bound`, async () => {
      answer = fault;
      record(1);
      await until(() => bodies.length === 1, "the first attempt");
      record(maxQueued + 4);
      answer = (response) => response.end();
      await until(async () => {
        await clock.advance(1_000);
        return ids().includes(maxQueued + 5);
      }, "the last one is there");
      const [, again] = bodies;
      assert.equal(again?.dropped, 5);
      assert.equal(again?.events[0]?.id, 6);
      assert.equal(new Set(ids()).size, maxQueued + 1);
    });

  it("holds nothing up: the relay closes while it is silent", async () => {
    answer = () => {};
    record(1);
    await until(() => bodies.length === 1, "the attempt");
    await webhook.close();
    record(1);
    assert.equal(bodies.length, 1);
  });
});
