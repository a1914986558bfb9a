import assert from "node:assert/strict";
import { once } from "node:events";
import { PortholeError } from "@porthole/common/errors";
import { createLink, linkLimits, type Link, type LinkStream } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { silentLogger } from "@porthole/common/log";
import { encodeProxyHeader } from "@porthole/common/protocol";
import { createRegistry, type Registry } from "../clients/registry.ts";
import { testLimits } from "../limits/fixture.test.ts";
import { VisitorGate } from "../limits/index.ts";
import { Traffic } from "../monitoring/traffic.ts";
import type { Place } from "../visitors/place.ts";
import { placeVisitor, type VisitorPlace } from "../visitors/placement.ts";
import { greeting, PlacementWorld } from "../visitors/placement-world.test.ts";
import { encodeHopHead } from "./hop-wire.ts";
import { limits } from "./limits.ts";
import { LinkBus } from "./link-bus.ts";
import { serveForwarded } from "./serve-forwarded.ts";

const over = new PortholeError("closed", "The test is over");

/** A front relay with one visitor, and home relays behind links of memory. The front relay's world is that of placing. */
describe("leading a visitor to another relay", () => {
  let world: PlacementWorld;
  let places: Place[];
  let homes: Home[];
  let declined: number;

  interface Home {
    readonly registry: Registry;
    readonly gate: VisitorGate;
    readonly link: Link;
    /** Everything that it opened a stream for has ended. */
    readonly served: Promise<void>[];
  }

  beforeEach(async () => {
    world = await PlacementWorld.open();
    places = [];
    homes = [];
    declined = 0;
  });
  afterEach(async () => {
    for (const { link } of homes) link.destroy(over);
    await world.clock.advance(limits.openingMs);
    await world.close();
  });

  const opening = (): Buffer[] => [
    encodeProxyHeader({
      source: { address: "203.0.113.7", port: 1 },
      destination: { address: "127.0.0.1", port: 2 },
      authority: "id.localhost",
      uniqueId: "t",
    }),
    Buffer.from("hello"),
  ];

  const placing = (): VisitorPlace => ({
    ...world.placing,
    opening: opening(),
    places: { find: () => [...world.registry.find("id.localhost"), ...places] },
    onDeclined: () => {
      declined += 1;
    },
  });

  function home(registry = createRegistry(), perName = 0): Home {
    const { clock } = world;
    const pair = memoryConnectionPair();
    const [front, link] = [
      createLink(pair.relay, { clock, heartbeat: "watch" }),
      createLink(pair.client, { clock, heartbeat: "send" }),
    ];
    const node = `node-${homes.length}`;
    places.push({
      ...{ id: node, clientId: node, instance: node, connectedAt: 0, link: front, isRelay: true },
      ...{ traffic: new Traffic(), account: { traffic: new Traffic(), throttled: (stream) => stream } },
    });
    const gate = new VisitorGate({
      ...{ clock, onLimit: () => {} },
      limits: () => ({ ...testLimits, streamsPerClient: perName }),
    });
    const bus = new LinkBus(silentLogger);
    const deps = { local: registry, gate, bus, clock, log: silentLogger, traffic: new Traffic() };
    const served: Promise<void>[] = [];
    void (async () => {
      for await (const stream of link.incoming)
        served.push(serveForwarded(stream, "front", { ...deps, signal: new AbortController().signal }));
    })();
    const one = { registry, gate, link, served };
    homes.push(one);
    return one;
  }

  it("the client gets what the front relay wrote, and the visitor what the client says", async () => {
    const client = world.client();
    const link = world.registry.all()[0] ?? assert.fail();
    world.registry.remove(link);
    home().registry.add(link);
    assert.equal(placeVisitor(world.socket, placing()), "forwarded");
    const stream = await client.accepted();
    const first = await greeting(stream);
    assert.equal(first, Buffer.concat(opening()).toString());
    stream.write("welcome");
    const [answer] = (await once(world.visitor, "data")) as [Buffer];
    assert.equal(answer.toString(), "welcome");
    world.visitor.end("bye");
    const [last] = (await once(stream, "data")) as [Buffer];
    assert.equal(last.toString(), "bye");
    client.link.destroy(over);
  });

  it("a relay that does not have the client any more is passed by before the first byte", async () => {
    home();
    const client = world.client();
    const link = world.registry.all()[0] ?? assert.fail();
    world.registry.remove(link);
    home().registry.add(link);
    assert.equal(placeVisitor(world.socket, placing()), "forwarded");
    const stream = await client.accepted();
    stream.write("welcome");
    const [answer] = (await once(world.visitor, "data")) as [Buffer];
    assert.equal(answer.toString(), "welcome");
    assert.equal(declined, 0);
    client.link.destroy(over);
  });

  it("a visitor that no relay takes is given back, and nothing was said to it", async () => {
    home();
    home();
    placeVisitor(world.socket, placing());
    await settled(() => declined === 1);
    assert.equal(world.socket.destroyed, false);
    assert.equal(world.socket.bytesWritten, 0);
  });

  it("a relay that dies before the client has answered is passed by", async () => {
    const client = world.client();
    const link = world.registry.all()[0] ?? assert.fail();
    world.registry.remove(link);
    const first = home();
    first.registry.add(link);
    home().registry.add(link);
    placeVisitor(world.socket, placing());
    await client.accepted();
    first.link.destroy(over);
    const again = await client.accepted();
    again.write("welcome");
    const [answer] = (await once(world.visitor, "data")) as [Buffer];
    assert.equal(answer.toString(), "welcome");
    client.link.destroy(over);
  });

  it("the client's relay counts the visitors of a name, wherever they come in", async () => {
    const client = world.client();
    const link = world.registry.all()[0] ?? assert.fail();
    world.registry.remove(link);
    const one = home(createRegistry(), 1);
    one.registry.add(link);
    const other = one.gate.enter("198.51.100.1", () => {});
    assert.ok(other.mayVisit("id.localhost"));
    placeVisitor(world.socket, placing());
    await settled(() => declined === 1);
    assert.equal(link.link.openStreams, 0);
    other.left();
    client.link.destroy(over);
  });

  for (const [what, bytes, code] of [
    ["a kind that does not exist", Buffer.from("0900000000", "hex"), "protocol"],
    ["an opening that is too long", Buffer.from("01ffffffff", "hex"), "limit"],
    ["no PROXY header", Buffer.concat([encodeHopHead("visitor", 60), Buffer.alloc(60, 1)]), "protocol"],
  ] as const)
    it(`a stream with ${what} is aborted, and the link stays`, async () => {
      const { link, served } = home();
      const stream = places[0]?.link.openStream() as LinkStream;
      stream.write(bytes);
      const [error] = (await once(stream, "error")) as [PortholeError];
      assert.match(error.message, new RegExp(code));
      await Promise.all(served);
      assert.equal(link.isSilent, false);
    });

  it("a stream whose opening does not come is aborted in time", async () => {
    const { served } = home();
    const stream = places[0]?.link.openStream() as LinkStream;
    stream.write(encodeHopHead("visitor", 60));
    await settled(() => served.length === 1);
    const ended = once(stream, "error");
    await world.clock.advance(limits.openingMs);
    const [error] = (await ended) as [PortholeError];
    assert.match(error.message, /timeout/);
    await world.clock.advance(linkLimits.abortDrainMs);
  });
});

async function settled(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !condition(); turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(condition());
}
