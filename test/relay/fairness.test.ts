import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { generateKey } from "@porthole/common/identity";
import type { Relay } from "@porthole/relay";
import {
  dialLink,
  get,
  hello,
  siteOf,
  startHttp,
  startTestClient,
  startTestRelay,
  until,
  useScope,
} from "@porthole/testing/end-to-end";

describe("An office behind one address", function () {
  this.timeout(120_000);
  const scope = useScope();
  const refused = [generateKey(), generateKey(), generateKey()];

  async function startOfficeRelay(): Promise<Relay> {
    return startTestRelay(scope, {
      args: ["--max-penalty", "10m"],
      authorize: async ({ peer }) => {
        if (refused.some(({ fingerprint }) => fingerprint === peer.fingerprint))
          throw new PortholeError("unauthorized", "not you");
      },
    });
  }

  /** Clients with keys that the relay refuses, which come again at once. Resolves once each was refused so many times. */
  async function knock(relay: Relay, times: number): Promise<void> {
    const codes = new Set<string>();
    await Promise.all(
      refused.map(async (key) => {
        for (let i = 0; i < times; i++) {
          const link = await dialLink(scope, relay, "http2", key);
          link.control.send(hello);
          const answer = await link.control.next();
          assert.equal(answer?.type, "reject");
          // Three times it is told so, and then to wait.
          codes.add(answer.code);
          await link.closed;
        }
      }),
    );
    assert.ok(
      codes.has("busy") && [...codes].every((code) => ["busy", "unauthorized"].includes(code)),
      [...codes].join(),
    );
  }

  it("two colleagues come in at once, before and after three keys were refused again and again", async () => {
    const relay = await startOfficeRelay();
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    // Nobody has been admitted from there yet.
    await knock(relay, 6);
    const start = () => startTestClient(scope, { servers: [relay.apiPort], transport: "http2", local: service.local });
    const first = await start();
    assert.equal(await get(await siteOf(first)), "hello");
    await knock(relay, 6);
    const second = await start();
    assert.equal(await get(await siteOf(second)), "hello");
    // Nobody was turned away, so no client had to try again.
    assert.deepEqual(await turnedAway(relay), []);
    assert.deepEqual(relay.report().held, []);
  });

  it("a client that only tries the relay out has its answer, gets no visitors and is charged nothing", async () => {
    const relay = await startOfficeRelay();
    for (const key of [generateKey(), ...refused]) {
      const link = await dialLink(scope, relay, "http2", key);
      link.control.send({ ...hello, test: true });
      assert.equal((await link.control.next())?.type, refused.includes(key) ? "reject" : "welcome");
      assert.equal(relay.counts().clients, 0);
      link.control.send({ type: "goodbye", reason: "tried" });
      await link.closed;
    }
    await until(() => relay.counts().sockets === 0, "the relay had let go of the tests");
    assert.deepEqual(await turnedAway(relay), []);
  });

  it("an address that is kept out is shown, and let in again by hand", async () => {
    const relay = await startOfficeRelay();
    const dial = () => dialLink(scope, relay, "http2");
    for (;;) {
      try {
        const link = await dial();
        link.control.send({ type: "goodbye", reason: "no hello came first" });
        await link.closed;
      } catch (reason) {
        assert.equal(PortholeError.from(reason).code, "busy");
        break;
      }
    }
    const [held] = relay.report().held;
    assert.equal(held?.source, "127.0.0.1");
    assert.equal(relay.unblock("127.0.0.1"), true);
    assert.deepEqual(relay.report().held, []);
    const link = await dial();
    link.control.send(hello);
    assert.equal((await link.control.next())?.type, "welcome");
  });

  /** The limits that turned somebody away. */
  async function turnedAway(relay: Relay): Promise<readonly string[]> {
    const metric = await relay.metrics.registry.getSingleMetric("porthole_limited_total")?.get();
    return (metric?.values ?? []).filter(({ value }) => value > 0).map(({ labels }) => String(labels["limit"]));
  }
});
