import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { until } from "@porthole/testing/until";
import type { PortTarget } from "../ports/index.ts";
import { endpoint, online, testController, type TestController, type FakeDaemon } from "./fixture.test.ts";
import { endpointOf, urlOf } from "./exposure.ts";

const web: PortTarget = { host: "localhost", port: 3000, scheme: undefined, label: "vite" };
const api: PortTarget = { host: "localhost", port: 4000, scheme: undefined, label: undefined };

describe("the controller", () => {
  const lastDaemon = ({ daemons }: TestController): FakeDaemon =>
    daemons.at(-1) ?? assert.fail("no daemon was started");

  it("starts nothing before something needs it", async () => {
    const test = testController();
    await test.controller.resume();
    assert.equal(test.daemons.length, 0);
    assert.equal(test.clock.pending, 1, "only the look at other windows");
    assert.deepEqual(test.controller.state.daemon, { status: "off" });
    await test.controller.close();
    assert.equal(test.clock.pending, 0);
  });

  it("exposes a port with a key of its own, and stops it", async () => {
    const test = testController();
    const id = test.controller.idOf(web);
    await test.controller.expose(web);
    const daemon = lastDaemon(test);
    const [spec] = daemon.specs();
    assert.equal(spec?.primary.local, "localhost:3000");
    assert.deepEqual(spec?.relays, [{ address: "relay.example:4433" }]);
    assert.match(JSON.stringify(spec?.primary.identity), /BEGIN PRIVATE KEY/);
    daemon.tellRelay(id);
    assert.equal(urlOf(test.controller.find(id) ?? assert.fail()), "https://abc.relay.example");
    await test.controller.expose(web);
    assert.equal(daemon.specs().length, 1, "one that is exposed stays as it is");
    await test.controller.stop(id);
    assert.deepEqual(daemon.calls.at(-1), { method: "tunnel/stop", params: { id } });
    assert.equal(test.controller.find(id)?.phase, "off");
    await test.controller.close();
    assert.equal(test.clock.pending, 0);
  });

  it("starts nothing that was stopped before its keys were there", async () => {
    const test = testController();
    await test.controller.expose(api);
    const daemon = lastDaemon(test);
    const id = test.controller.idOf(web);
    const exposing = test.controller.expose(web);
    await Promise.all([test.controller.stop(id), exposing]);
    assert.equal(daemon.specs().length, 1, "the other port's");
    assert.equal(test.controller.find(id)?.phase, "off");
    // Stopped and exposed again at once it runs, once.
    const first = test.controller.expose(web);
    const stopped = test.controller.stop(id);
    await Promise.all([first, stopped, test.controller.expose(web)]);
    assert.deepEqual(
      daemon.calls.slice(-2).map(({ method }) => method),
      ["tunnel/stop", "tunnel/start"],
    );
    assert.equal(daemon.specs().length, 2);
    await test.controller.close();
  });

  it("gives a port the same key every time, and another port another", async () => {
    const test = testController();
    await test.controller.expose(web);
    await test.controller.stop(test.controller.idOf(web));
    await test.controller.remove(test.controller.idOf(web));
    await test.controller.expose(web);
    await test.controller.expose(api);
    const [first, second, third] = lastDaemon(test).specs();
    assert.deepEqual(first?.primary.identity, second?.primary.identity);
    assert.notDeepEqual(first?.primary.identity, third?.primary.identity);
    await test.controller.close();
  });

  it("takes ports off a relay that is removed, says why, and continues when there is another one", async () => {
    const test = testController();
    const id = test.controller.idOf(web);
    await test.controller.expose(web);
    const daemon = lastDaemon(test);
    daemon.tellRelay(id);
    await test.controller.relays.remove("relay.example:4433");
    await test.clock.advance(0);
    assert.deepEqual(daemon.calls.at(-1), { method: "tunnel/stop", params: { id } });
    daemon.tellRelay(id);
    const ended = test.controller.find(id);
    assert.deepEqual([ended?.phase, ended?.tunnel, ended?.error?.message], ["on", undefined, "No relay is configured"]);
    // The editor tells of the changed setting, too.
    await Promise.all([test.controller.relays.add({ address: "second.example:4433" }), test.controller.relays.apply()]);
    await test.clock.advance(0);
    assert.deepEqual(daemon.specs().at(-1)?.relays, [{ address: "second.example:4433" }]);
    assert.equal(test.controller.find(id)?.error, undefined);
    await test.controller.close();
  });

  it("starts the daemon again when it dies, with the same tunnels and keys, and says so in the meantime", async () => {
    const test = testController();
    const id = test.controller.idOf(web);
    await test.controller.expose(web);
    await test.controller.secondary.add(id);
    lastDaemon(test).tellRelay(id);
    const before = lastDaemon(test).specs();
    lastDaemon(test).die();
    await test.clock.advance(0);
    assert.equal(test.controller.state.daemon.status, "waiting");
    await test.clock.advance(1_000);
    assert.equal(test.daemons.length, 2);
    const after = lastDaemon(test).specs();
    assert.equal(after.length, 1);
    assert.equal(test.controller.find(id)?.tunnel, undefined, "what the dead one said is no state any more");
    assert.deepEqual(after[0]?.primary, before[0]?.primary);
    assert.equal(after[0]?.secondary?.local, "localhost:3000");
    assert.equal(new Set(test.owners).size, 1, "relays know it by the same owner");
    await test.controller.close();
    assert.equal(test.clock.pending, 0);
  });

  it("restarts the daemon for another proxy, if one runs, with the same tunnels", async () => {
    const test = testController();
    await test.controller.useProxy();
    assert.equal(test.daemons.length, 0);
    await test.controller.expose(web);
    const before = lastDaemon(test).specs();
    await test.controller.useProxy();
    await test.clock.advance(1_000);
    assert.equal(test.daemons.length, 2);
    assert.deepEqual(lastDaemon(test).specs(), before);
    await test.controller.close();
    assert.equal(test.clock.pending, 0);
  });

  it("waits longer and longer for a daemon that can't be started", async () => {
    const test = testController();
    test.failure = new PortholeError("internal", "no such file");
    await assert.rejects(test.controller.expose(web), { message: "no such file" });
    const delays: number[] = [];
    for (let attempt = 0; attempt < 7; attempt++) {
      const { daemon } = test.controller.state;
      delays.push(daemon.status === "waiting" ? daemon.nextAttemptAt - test.clock.now() : -1);
      await test.clock.advance(delays.at(-1) ?? 0);
    }
    assert.deepEqual(delays, [999, 1998, 3996, 7992, 15_984, 29_970, 29_970]);
    test.failure = undefined;
    await test.clock.advance(30_000);
    await until(() => lastDaemon(test).specs().length === 1, "what was wanted is started in the end");
    await test.controller.close();
  });

  it("keeps the reason when a tunnel can't be started, and tries again at the next click", async () => {
    const test = testController();
    (test.settings as { "porthole.relays": unknown })["porthole.relays"] = [];
    await assert.rejects(test.controller.expose(web), { code: "usage" });
    assert.equal(test.controller.find(test.controller.idOf(web))?.error?.code, "usage");
    await test.controller.relays.add({ address: "relay.example" });
    await test.controller.expose(web);
    assert.equal(lastDaemon(test).specs().length, 1);
    await test.controller.close();
  });

  it("says what is wrong in a setting that was written by hand, and changes nothing of it", async () => {
    const test = testController();
    const settings = test.settings as { "porthole.relays": unknown };
    for (const [written, usable, message] of [
      ["nonsense", 0, /wrong: it is not a list/],
      [{ address: "relay.example" }, 0, /it is not a list/],
      [[{ address: "relay.example" }, null], 1, /entry 2 is not a relay/],
      [[{ address: 5 }], 0, /entry 1/],
      [[{ address: "relay.example", fingerprint: 9 }], 0, /entry 1/],
    ] as const) {
      settings["porthole.relays"] = written;
      assert.equal(test.controller.state.relays.length, usable);
      assert.throws(() => test.controller.relays.check(), { code: "usage", message });
      await assert.rejects(test.controller.expose(web), { code: "usage", message });
    }
    settings["porthole.relays"] = [null, { address: "relay.example" }];
    await test.controller.relays.add({ address: "second.example" }).catch(() => {});
    await test.controller.relays.remove("relay.example").catch(() => {});
    assert.deepEqual(settings["porthole.relays"], [null, { address: "second.example" }]);
    await test.controller.close();
  });

  it("tries again at the next click when every relay has refused", async () => {
    const test = testController();
    await test.controller.expose(web);
    const refused = { code: "unauthorized", message: "this relay does not know you", retryable: false } as const;
    lastDaemon(test).tell(test.controller.idOf(web), { endpoints: [endpoint], ended: { error: refused } });
    await test.controller.expose(web);
    assert.equal(lastDaemon(test).specs().length, 2);
    assert.equal(test.controller.find(test.controller.idOf(web))?.tunnel, undefined);
    await test.controller.close();
  });

  it("uses a token until the relay has let it in, and keeps it out of the settings", async () => {
    const test = testController();
    await test.controller.relays.add({ address: "relay.example:4433", token: "t0ken", fingerprint: "fp" });
    assert.ok(!JSON.stringify(test.settings).includes("t0ken"));
    await test.controller.expose(web);
    assert.equal(lastDaemon(test).specs()[0]?.relays?.[0]?.token, "t0ken");
    lastDaemon(test).tellRelay(test.controller.idOf(web));
    await test.clock.advance(0);
    assert.ok(![...test.secrets.values()].includes("t0ken"));
    await test.controller.close();
  });

  it("keeps who may visit with the port's keys, and applies it when it is exposed again", async () => {
    const test = testController();
    const id = test.controller.idOf(web);
    await test.controller.expose(web);
    const access = { users: ["slot:s3cret"] };
    await test.controller.protect(id, access);
    assert.deepEqual(lastDaemon(test).calls.at(-1), { method: "tunnel/update", params: { id, changes: { access } } });
    assert.ok(!JSON.stringify([test.stored, test.settings]).includes("s3cret"));
    await test.controller.stop(id);
    await test.controller.expose(web);
    assert.deepEqual(lastDaemon(test).specs().at(-1)?.access, access);
    await test.controller.protect(id, undefined);
    assert.deepEqual(lastDaemon(test).calls.at(-1)?.params, { id, changes: { access: null } });
    await test.controller.stop(id);
    await test.controller.expose(web);
    assert.equal(lastDaemon(test).specs().at(-1)?.access, undefined);
    await test.controller.close();
  });

  it("moves what runs to the relays of changed settings", async () => {
    const test = testController();
    await test.controller.expose(web);
    await test.controller.relays.add({ address: "second.example:4433" });
    const update = lastDaemon(test).calls.findLast(({ method }) => method === "tunnel/update");
    const { changes } = (update?.params ?? {}) as { changes?: { relays: readonly { address: string }[] } };
    assert.deepEqual(
      changes?.relays.map(({ address }) => address),
      ["relay.example:4433", "second.example:4433"],
    );
    await test.controller.close();
  });

  it("forgets the second name of a stopped port that the daemon does not know", async () => {
    const test = testController();
    const id = test.controller.idOf(web);
    await test.controller.expose(web);
    await test.controller.secondary.add(id);
    await test.controller.stop(id);
    const { length } = lastDaemon(test).calls;
    await test.controller.secondary.remove(id);
    assert.equal(test.controller.find(id)?.secondary, undefined);
    assert.equal(lastDaemon(test).calls.length, length);
    await test.controller.close();
  });

  it("moves one port also when another can't be moved, and says so", async () => {
    const test = testController();
    await test.controller.expose(web);
    await test.controller.expose(api);
    lastDaemon(test).answers["tunnel/update"] = new PortholeError("usage", "not there");
    await assert.rejects(test.controller.relays.add({ address: "second.example:4433" }), { code: "usage" });
    const moved = lastDaemon(test).calls.filter(({ method }) => method === "tunnel/update");
    assert.equal(moved.length, 2);
    await test.controller.close();
  });

  it("asks for no certificate on a trial relay, and keeps its port", async () => {
    const test = testController();
    await test.controller.relays.useTrial(true);
    await test.controller.expose(web);
    const daemon = lastDaemon(test);
    assert.deepEqual(daemon.specs().at(-1)?.acme, { enabled: false });
    await test.controller.stop(test.controller.idOf(web));
    await test.controller.expose(web);
    assert.deepEqual(daemon.calls.findLast(({ method }) => method === "trialRelay/start")?.params, {
      publicPort: 9443,
    });
    await test.controller.close();
  });

  it("tells endpoints apart", () => {
    const both = {
      ...testController().controller.find("x"),
      tunnel: { endpoints: [endpoint, { ...endpoint, role: "secondary", urls: ["https://s"] }] },
    };
    assert.equal(endpointOf(both as never, "secondary")?.urls[0], "https://s");
    assert.equal(online.transport, "quic");
  });
});
