import assert from "node:assert/strict";
import type { PortTarget } from "../ports/index.ts";
import { testController, type FakeDaemon, type TestController } from "./fixture.test.ts";

const web: PortTarget = { host: "localhost", port: 3000, scheme: undefined, label: "vite" };

describe("a window that comes back", () => {
  const lastDaemon = ({ daemons }: TestController): FakeDaemon =>
    daemons.at(-1) ?? assert.fail("no daemon was started");

  async function leave(more: (test: TestController) => Promise<void> = async () => {}): Promise<unknown> {
    const test = testController();
    await test.controller.expose(web);
    await more(test);
    await test.controller.close();
    return test.stored;
  }

  it("continues after a reload", async () => {
    const test = testController({ stored: await leave() });
    await test.controller.resume();
    assert.equal(lastDaemon(test).specs().length, 1);
    await test.controller.close();
  });

  it("waits in the list where the workspace is not trusted", async () => {
    const test = testController({ stored: await leave(), isTrusted: false });
    await test.controller.resume();
    assert.equal(test.daemons.length, 0);
    assert.deepEqual(
      test.controller.state.exposures.map(({ phase }) => phase),
      ["off"],
    );
  });

  it("waits in the list the next day, and continues where that is the setting", async () => {
    const stored = await leave();
    for (const [resume, daemons] of [
      ["reload", 0],
      ["never", 0],
      ["always", 1],
    ] as const) {
      const test = testController({ stored });
      (test.settings as { "porthole.resume": string })["porthole.resume"] = resume;
      await test.clock.advance(24 * 3_600_000);
      await test.controller.resume();
      assert.equal(test.daemons.length, daemons, resume);
      await test.controller.close();
    }
  });

  it("does not continue with what was stopped", async () => {
    const stored = await leave((test) => test.controller.stop(test.controller.idOf(web)));
    const test = testController({ stored });
    await test.controller.resume();
    assert.equal(test.daemons.length, 0);
  });

  for (const stored of [null, 5, {}, { version: 2 }, { version: 1, seenAt: 1, exposures: [{}, { id: 1 }, null] }])
    it(`takes ${JSON.stringify(stored)} for nothing`, async () => {
      const test = testController({ stored });
      await test.controller.resume();
      assert.deepEqual(test.controller.state.exposures, []);
    });
});
