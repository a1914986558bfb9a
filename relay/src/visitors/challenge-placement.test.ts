import assert from "node:assert/strict";
import { once } from "node:events";
import { PortholeError } from "@porthole/common/errors";
import { placeChallenge } from "./challenge-placement.ts";
import { greeting, PlacementWorld } from "./placement-world.test.ts";

describe("placing a challenge", () => {
  let world: PlacementWorld;

  beforeEach(async () => {
    world = await PlacementWorld.open();
  });
  afterEach(() => world.close());

  const place = (): string => placeChallenge(world.socket, world.placing);

  it("says at once that nobody has the name", () => {
    assert.equal(place(), "unknown-name");
  });

  it("asks the process that came last first, over all its links before the other's, and then the other one", async () => {
    const newer = world.client({ instance: "newer", connectedAt: 2 });
    const older = world.client({ instance: "older", connectedAt: 1 });
    const newest = world.client({ instance: "newer", connectedAt: 3 });
    newest.link.openStream = () => {
      throw new PortholeError("busy", "full");
    };
    assert.equal(place(), "forwarded");
    const declined = await newer.accepted();
    assert.match(await greeting(declined), /^header/);
    declined.destroy(new PortholeError("name", "not mine"));
    const stream = await older.accepted();
    assert.match(await greeting(stream), /^header/);
    stream.write("certificate");
    const [answer] = (await once(world.visitor, "data")) as [Buffer];
    assert.equal(answer.toString(), "certificate");
  });

  it("closes the connection when no process knows the challenge", async () => {
    const [one, other] = [
      world.client({ instance: "one", connectedAt: 1 }),
      world.client({ instance: "other", connectedAt: 2 }),
    ];
    assert.equal(place(), "forwarded");
    (await other.accepted()).destroy(new PortholeError("name", "not mine"));
    (await one.accepted()).destroy(new PortholeError("name", "not mine"));
    world.visitor.resume();
    await once(world.visitor, "close");
  });

  it("does not ask the next one when the validator has left", async () => {
    const [one, other] = [
      world.client({ instance: "one", connectedAt: 1 }),
      world.client({ instance: "other", connectedAt: 2 }),
    ];
    assert.equal(place(), "forwarded");
    const asked = await other.accepted();
    const left = new Promise((resolve) => asked.once("close", resolve));
    world.socket.destroy();
    await left;
    assert.equal(one.link.openStreams, 0);
  });
});
