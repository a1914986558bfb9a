import assert from "node:assert/strict";
import { until } from "@porthole/testing/until";
import type { PortTarget } from "../ports/index.ts";
import { endpoint, online, testController, type FakeDaemon, type TestController } from "./fixture.test.ts";
import { relayUrlsOf, urlsOf } from "./exposure.ts";

const web: PortTarget = { host: "localhost", port: 3000, scheme: undefined, label: "vite" };

describe("the relays of a window", () => {
  const lastDaemon = ({ daemons }: TestController): FakeDaemon =>
    daemons.at(-1) ?? assert.fail("no daemon was started");

  it("leave trial mode only when asked to, and certificates follow", async () => {
    const test = testController();
    await test.controller.relays.useTrial(true);
    await test.controller.expose(web);
    const daemon = lastDaemon(test);
    await test.controller.relays.add({ address: "second.example:4433" }, { keepTrial: true });
    assert.equal(test.controller.state.isTrial, true);
    assert.equal(daemon.specs().length, 1, "the port stays on the trial relay");
    assert.deepEqual(daemon.specs()[0]?.relays, [{ address: "127.0.0.1:1" }]);

    await test.controller.relays.useTrial(false);
    await until(() => daemon.specs().length === 2, "it was started with the public relays");
    assert.equal(daemon.specs()[1]?.acme?.enabled, true);
    assert.deepEqual(
      daemon.specs()[1]?.relays?.map(({ address }) => address),
      ["relay.example:4433", "second.example:4433"],
    );
    await test.controller.relays.useTrial(true);
    await until(() => daemon.specs().length === 3, "it was started on the trial relay");
    assert.deepEqual(daemon.specs()[2]?.acme, { enabled: false });
    await test.controller.close();
  });

  it("end trial mode when one is joined and nothing else was chosen", async () => {
    const test = testController();
    await test.controller.relays.useTrial(true);
    await test.controller.relays.add({ address: "second.example:4433" });
    assert.equal(test.controller.state.isTrial, false);
    await test.controller.close();
  });

  it("have names of the user's, and keep their order", async () => {
    const test = testController();
    const { relays } = test.controller;
    await relays.add({ address: "second.example:4433", fingerprint: "a".repeat(52) });
    await relays.label("relay.example:4433", "work");
    assert.deepEqual(relays.configured, [
      { address: "relay.example:4433", label: "work" },
      { address: "second.example:4433", fingerprint: "a".repeat(52) },
    ]);
    await relays.label("relay.example:4433", "");
    assert.deepEqual(relays.configured[0], { address: "relay.example:4433" });
    await test.controller.close();
  });

  it("are asked for a friendly name, which is kept until it is taken back", async () => {
    const test = testController();
    await test.controller.expose(web);
    const id = test.controller.idOf(web);
    const daemon = lastDaemon(test);
    assert.equal(daemon.specs()[0]?.name, undefined);
    await test.controller.rename(id, "shop");
    await until(() => daemon.specs().length === 2, "it was started with the name");
    assert.equal(daemon.specs()[1]?.name, "shop");
    await test.controller.stop(id);
    await test.controller.expose(web);
    assert.equal(daemon.specs()[2]?.name, "shop");
    await test.controller.rename(id, undefined);
    await until(() => daemon.specs().length === 4, "it was started without it");
    assert.equal(daemon.specs()[3]?.name, undefined);
    await test.controller.close();
  });

  it("each have a URL, in the order of the setting", async () => {
    const test = testController();
    await test.controller.expose(web);
    const id = test.controller.idOf(web);
    const second = { ...online, urls: ["https://abc.second.example"] };
    lastDaemon(test).tell(id, {
      endpoints: [
        {
          ...endpoint,
          urls: ["https://abc.relay.example", "https://abc.second.example"],
          relays: [
            { address: "relay.example:4433", now: online },
            { address: "second.example:4433", now: second },
            { address: "third.example:4433", now: { status: "connecting" } },
          ],
        },
      ],
    });
    const exposure = test.controller.find(id) ?? assert.fail();
    assert.deepEqual(urlsOf(exposure), ["https://abc.relay.example", "https://abc.second.example"]);
    assert.deepEqual(relayUrlsOf(exposure), [
      { address: "relay.example:4433", url: "https://abc.relay.example" },
      { address: "second.example:4433", url: "https://abc.second.example" },
    ]);
    await test.controller.close();
  });

  it("let nobody in before the rules of the first exposure hold", async () => {
    const test = testController();
    await test.controller.expose(web, { share: true });
    assert.deepEqual(lastDaemon(test).specs()[0]?.access, { share: true });
    const id = test.controller.idOf(web);
    await test.controller.protect(id, {});
    const update = lastDaemon(test).calls.findLast(({ method }) => method === "tunnel/update");
    assert.deepEqual(update?.params, { id, changes: { access: null } });
    await test.controller.stop(id);
    await test.controller.expose(web);
    assert.equal(lastDaemon(test).specs()[1]?.access, undefined);
    assert.deepEqual(await test.controller.keys.access(id), {}, "that everyone may visit was chosen");
    await test.controller.close();
  });
});
