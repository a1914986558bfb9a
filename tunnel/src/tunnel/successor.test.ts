import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import type { Welcome } from "@porthole/common/protocol";
import { FakeClock } from "@porthole/testing";
import { welcome } from "./fixture.test.ts";
import { limits } from "./limits.ts";
import type { Session } from "./session.ts";
import { endAtSuccessor } from "./successor.ts";

describe("a QUIC link that is silent", () => {
  let clock: FakeClock;
  let link: { isSilent: boolean; closed: Promise<unknown>; destroy(error: PortholeError): void };
  let end: PortholeError | undefined;
  let looks: number;

  beforeEach(() => {
    clock = new FakeClock();
    end = undefined;
    looks = 0;
    link = { isSilent: true, closed: new Promise(() => {}), destroy: (error) => (end = error) };
  });
  afterEach(() => assert.equal(clock.pending, 0, "a timer is left"));

  async function search(answer: () => Partial<Welcome> | undefined, instance: string | undefined): Promise<void> {
    const session = { link, welcome: { ...welcome, ...(instance === undefined ? {} : { instance }) } };
    const look = async (): Promise<Welcome> => {
      looks += 1;
      const given = answer();
      if (!given) throw new PortholeError("unreachable", "Nothing listens");
      return { ...welcome, ...given };
    };
    const over = endAtSuccessor(session as unknown as Session, { clock, look }, new AbortController().signal);
    await clock.advance(3 * limits.redial.maxMs);
    link.isSilent = false;
    await clock.advance(limits.redial.maxMs);
    await over;
  }

  it("is over when another process of the relay answers over TCP, as soon as it is there", async () => {
    await search(() => (looks < 3 ? undefined : { instance: "new" }), "old");
    assert.deepEqual([end?.code, looks], ["closed", 3]);
  });

  it("stays when the same one answers, one that names none, or nobody", async () => {
    await search(() => ({ instance: "old" }), "old");
    link.isSilent = true;
    await search(() => ({}), "old");
    link.isSilent = true;
    await search(() => ({ instance: "new" }), undefined);
    assert.equal(looks, 3);
    link.isSilent = true;
    await search(() => undefined, "old");
    assert.equal(end, undefined);
  });

  it("stays when it is heard again before the answer comes", async () => {
    await search(() => {
      link.isSilent = false;
      return { instance: "new" };
    }, "old");
    assert.equal(end, undefined);
  });
});
