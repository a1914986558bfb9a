import assert from "node:assert/strict";
import { once } from "node:events";
import { PortholeError } from "@porthole/common/errors";
import { linkLimits } from "@porthole/common/link";
import { placeVisitor } from "./placement.ts";
import { greeting, PlacementWorld } from "./placement-world.test.ts";

const { suspectMs } = linkLimits.linkSilence;

describe("placing a visitor", () => {
  let world: PlacementWorld;

  beforeEach(async () => {
    world = await PlacementWorld.open();
  });
  afterEach(() => world.close());

  const place = (): string => placeVisitor(world.socket, world.placing);

  it("says at once that nobody has the name", () => {
    assert.equal(place(), "unknown-name");
  });

  it("says that there is no room", () => {
    const { link } = world.client({ kind: "quic" });
    link.openStream = () => {
      throw new PortholeError("busy", "full");
    };
    assert.equal(place(), "full");
  });

  it("moves a visitor from a link that has gone dark to one that answers", async () => {
    const http2 = world.client({ kind: "http2" });
    const quic = world.client({ kind: "quic", dark: true });
    assert.equal(place(), "forwarded");
    assert.match(await greeting(await quic.accepted()), /^header/);
    await world.clock.advance(suspectMs);
    await world.clock.advance(0);
    const stream = await http2.accepted();
    assert.match(await greeting(stream), /^header/);
    stream.write("welcome");
    const [answer] = (await once(world.visitor, "data")) as [Buffer];
    assert.equal(answer.toString(), "welcome");
    assert.equal(quic.link.isSilent, true);
    // A visitor that comes now does not even try.
    assert.equal(world.registry.find("id.localhost")[0]?.link, http2.link);
  });

  it("moves a visitor whom nobody has answered to one that comes later", async () => {
    const quic = world.client({ kind: "quic", dark: true });
    place();
    await quic.accepted();
    await world.clock.advance(3 * suspectMs);
    assert.equal(quic.link.isSilent, true);
    const http2 = world.client({ kind: "http2" });
    await world.clock.advance(suspectMs);
    await world.clock.advance(0);
    assert.match(await greeting(await http2.accepted()), /^header/);
  });

  it("moves a visitor who came to one that was silent, when all were", async () => {
    const quic = world.client({ kind: "quic", dark: true });
    quic.link.openStream().write("?");
    await world.clock.advance(2 * suspectMs);
    assert.equal(quic.link.isSilent, true);
    place();
    const http2 = world.client({ kind: "http2" });
    await world.clock.advance(suspectMs);
    await world.clock.advance(0);
    assert.match(await greeting(await http2.accepted()), /^header/);
  });

  it("leaves a visitor where he is when nobody else answers either", async () => {
    const http2 = world.client({ kind: "http2", dark: true });
    const quic = world.client({ kind: "quic", dark: true });
    place();
    const stream = await quic.accepted();
    await world.clock.advance(3 * suspectMs);
    assert.equal(http2.link.openStreams, 0);
    stream.write("better late");
    const [answer] = (await once(world.visitor, "data")) as [Buffer];
    assert.equal(answer.toString(), "better late");
  });

  it("moves nobody who has had an answer", async () => {
    const http2 = world.client({ kind: "http2" });
    const quic = world.client({ kind: "quic", dark: true });
    place();
    const stream = await quic.accepted();
    stream.write("first");
    await once(world.visitor, "data");
    world.visitor.write("second");
    await world.clock.advance(3 * suspectMs);
    assert.equal(quic.link.openStreams, 1);
    assert.equal(http2.link.openStreams, 0);
  });
});
