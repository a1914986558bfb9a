import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { generateKey, readKeyProof, type IdentityKey } from "@porthole/common/identity";
import { createLink, type Link } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { silentLogger } from "@porthole/common/log";
import type { Hello, Welcome } from "@porthole/common/protocol";
import { FakeClock } from "@porthole/testing/fake-clock";
import { parseLocalService } from "../gateway/index.ts";
import { Endpoint } from "./endpoint.ts";
import { LinkPool } from "./link-pool.ts";
import { RelayClient, type RelayClientOptions } from "./relay-client.ts";
import type { RelayStatus } from "./state.ts";
import { memoryKnownRelays, RelayTrust } from "./trust.ts";

const challenge = "01".repeat(32);
const [owner, web, api] = [generateKey(), generateKey(), generateKey()];
const over = new PortholeError("aborted", "The test is over");

/** A relay in memory, and the clients of a process. `max`: how many names one link takes; 0 for a relay that knows only one. */
function startWorld(max: number, refusals: ReadonlyMap<string, string> = new Map()) {
  const clock = new FakeClock();
  const pool = new LinkPool({ clock, log: silentLogger, interfaces: () => ({}) });
  const links = new Set<Link>();
  const hellos: Hello[] = [];

  async function serve(link: Link, key: IdentityKey): Promise<void> {
    const exposed = new Set<string>();
    for (let message = await link.control.next(); message; message = await link.control.next()) {
      if (message.type === "hello") {
        hellos.push(message);
        const isBare = (message.bare ?? false) && max > 0;
        if (!isBare) exposed.add(key.clientId);
        const welcome: Welcome = {
          ...{ type: "welcome", clientId: key.clientId, publicPort: 443, limits: { maxStreams: 10 } },
          ...{ software: "relay/test", observedAddress: "127.0.0.1" },
          hostnames: isBare ? [] : [`${key.clientId}.localhost`],
          ...(max > 0 ? { names: { challenge, max } } : {}),
        };
        const code = refusals.get(key.clientId);
        link.control.send(code === undefined ? welcome : { type: "reject", code, message: "no" });
        if (code !== undefined) await link.close(over);
      } else if (message.type === "expose") {
        const { clientId } = readKeyProof(message.proof, { fingerprint: key.fingerprint, challenge });
        const code = refusals.get(clientId) ?? (exposed.size >= max ? "limit" : undefined);
        if (code === undefined) exposed.add(clientId);
        const hostnames = code === undefined ? [`${clientId}.localhost`] : [];
        link.control.send({ type: "exposed", clientId, hostnames, ...(code === undefined ? {} : { code }) });
      } else if (message.type === "unexpose") {
        exposed.delete(message.clientId);
        link.control.send({ type: "exposed", clientId: message.clientId, hostnames: [] });
      } else if (message.type === "goodbye") {
        await link.close(over);
      }
    }
  }

  async function start(key: IdentityKey, part: Partial<RelayClientOptions> = {}) {
    const endpoint = await Endpoint.create({
      ...{ role: "primary", key, local: parseLocalService("3000"), clock, log: silentLogger },
    });
    const stop = new AbortController();
    const statuses: RelayStatus[] = [];
    const client = new RelayClient(
      {
        ...{ endpoint, owner, clock, log: silentLogger, sharedLinks: pool, instance: pool.instance, software: "test" },
        server: { text: "relay:4433", host: "relay", port: 4433 },
        ownLinks: (options) => pool.own(options),
        trust: new RelayTrust("relay:4433", { kind: "insecure" }, memoryKnownRelays()),
        dialers: {
          async http2({ key: pem }) {
            const pair = memoryConnectionPair();
            Object.defineProperty(pair.client, "kind", { value: "http2" });
            const link = createLink(pair.relay, { clock, heartbeat: "watch" });
            links.add(link);
            void link.closed.then(() => links.delete(link));
            void serve(link, [owner, web, api].find((each) => each.pem === pem) as IdentityKey);
            return pair.client;
          },
          quic: { available: false, reason: "no binary" },
        },
        ...{ transport: "h2", poolSize: 1 },
        onStatus: (status) => statuses.push(status),
        ...{ onRequest: () => {}, onVisit: () => {} },
        ...part,
      },
      stop.signal,
    );
    const run = client.run();
    await settle();
    return {
      now: () => statuses.at(-1),
      async stop(code: "aborted" | "draining" = "aborted") {
        stop.abort(new PortholeError(code, "enough"));
        await settle();
        await clock.advance(1_000);
        await settle();
        await run;
      },
    };
  }

  async function settle(): Promise<void> {
    for (let i = 0; i < 60; i++) await clock.advance(0);
  }

  return { start, settle, links, hellos, clock };
}

describe("links that endpoints share", () => {
  const isOnline = ({ now }: { now(): RelayStatus | undefined }, key: IdentityKey): void => {
    const status = now();
    assert.ok(status?.status === "online", JSON.stringify(status));
    assert.deepEqual(status.hostnames, [`${key.clientId}.localhost`]);
  };

  it("are one set, which ends with the last of them", async () => {
    const world = startWorld(9);
    const first = await world.start(web);
    const second = await world.start(api);
    isOnline(first, web);
    isOnline(second, api);
    assert.equal(world.links.size, 1);
    assert.deepEqual(
      world.hellos.map(({ bare, delegation }) => [bare, delegation]),
      [[true, undefined]],
    );
    await first.stop("draining");
    assert.equal(world.links.size, 1);
    isOnline(second, api);
    await second.stop();
    assert.equal(world.links.size, 0);
    assert.equal(world.clock.pending, 0, "a timer is left");
  });

  it("carry the owner's own name without being asked for it", async () => {
    const world = startWorld(9);
    const [own, other] = [await world.start(owner), await world.start(web)];
    isOnline(own, owner);
    isOnline(other, web);
    assert.equal(world.hellos[0]?.bare, undefined);
    assert.equal(world.links.size, 1);
    for (const each of [own, other]) await each.stop();
  });

  it("are others where anything differs that links have", async () => {
    const world = startWorld(9);
    const trust = new RelayTrust("relay:4433", { kind: "pin", fingerprint: owner.fingerprint }, memoryKnownRelays());
    const all = [
      await world.start(web),
      await world.start(api, { poolSize: 2 }),
      await world.start(generateKey(), { trust }),
      await world.start(generateKey(), { server: { text: "other:4433", host: "other", port: 4433 } }),
    ];
    assert.equal(world.links.size, 5);
    for (const each of all) await each.stop();
  });

  for (const [what, max, refusals] of [
    ["knows only one name for each link", 0, new Map()],
    ["takes no more names", 1, new Map()],
    ["does not know the owner", 9, new Map([[owner.clientId, "unauthorized"]])],
  ] as const) {
    it(`are those of each endpoint again at a relay that ${what}`, async () => {
      const world = startWorld(max, refusals);
      const [first, second] = [await world.start(web), await world.start(api)];
      isOnline(first, web);
      isOnline(second, api);
      assert.equal(world.links.size, 2);
      const { delegation } = world.hellos.at(-1) ?? {};
      assert.ok(delegation !== undefined);
      for (const each of [first, second]) await each.stop();
      assert.equal(world.links.size, 0);
      assert.equal(world.clock.pending, 0, "a timer is left");
    });
  }

  it("are not dialled again for the owner's own key, which the relay does not know", async () => {
    const world = startWorld(9, new Map([[owner.clientId, "unauthorized"]]));
    const status = (await world.start(owner)).now();
    assert.equal(status?.status === "failed" && status.error.code, "unauthorized");
    assert.equal(world.hellos.length, 1);
  });

  it("stay when one of them is refused", async () => {
    const world = startWorld(9, new Map([[web.clientId, "name"]]));
    const [refused, other] = [await world.start(web), await world.start(api)];
    const status = refused.now();
    assert.equal(status?.status === "failed" && status.error.code, "name");
    isOnline(other, api);
    await other.stop();
    assert.equal(world.links.size, 0);
  });
});
