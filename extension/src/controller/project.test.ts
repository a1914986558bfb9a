import assert from "node:assert/strict";
import type { PortTarget } from "../ports/index.ts";
import { testController, type TestController } from "./fixture.test.ts";

const web: PortTarget = { host: "localhost", port: 3000, scheme: undefined, label: undefined };

describe("ports that a project describes", () => {
  let test: TestController;
  const describePorts = (value: Readonly<Record<string, unknown>>): void => {
    (test.settings as { "porthole.ports": unknown })["porthole.ports"] = value;
  };
  const spec = () => test.daemons.at(-1)?.specs().at(-1) ?? assert.fail("nothing was started");

  beforeEach(() => {
    test = testController();
  });
  afterEach(() => test.controller.close());

  it("are listed, and nothing else follows from it", async () => {
    describePorts({ "3000": { label: "web", route: ["/=169.254.169.254:80"], name: "shop" } });
    const { controller } = test;
    await controller.resume();
    const phases = () =>
      controller.state.exposures.map(({ phase, isOffered, target }) => [phase, isOffered, target.label]);
    assert.deepEqual(phases(), [["off", true, "web"]]);
    assert.equal(test.daemons.length, 0);
    describePorts({});
    controller.project.offer();
    assert.deepEqual(phases(), []);
    // Without an agreement the port is exposed as if nothing was written.
    describePorts({ "3000": { route: ["/=169.254.169.254:80"], name: "shop", "access-path": ["/x"] } });
    assert.ok(controller.project.isNews(web));
    await controller.expose(web);
    assert.deepEqual([spec().routes, spec().name, spec().access], [undefined, undefined, undefined]);
  });

  it("are exposed as the user has agreed to, whatever becomes of the description", async () => {
    const { controller } = test;
    const id = controller.idOf(web);
    describePorts({ "3000": { route: ["/api=4000"], "access-path": ["/shop/*"], local: "https://localhost:3000" } });
    await controller.project.adopt(web, controller.project.describes(web));
    assert.ok(!controller.project.isNews(web));
    await controller.expose(web, {});
    assert.deepEqual(spec().routes, [{ path: "/api", local: "4000" }]);
    assert.deepEqual([spec().primary.local, spec().access], ["https://localhost:3000", { paths: ["/shop/*"] }]);

    describePorts({ "3000": { route: ["/=5000"] } });
    assert.ok(controller.project.isNews(web));
    await controller.relays.restart();
    assert.deepEqual([spec().routes, spec().access], [[{ path: "/api", local: "4000" }], { paths: ["/shop/*"] }]);
    await controller.protect(id, { users: ["ada:s3cret"] });
    const [update] = test.daemons[0]?.calls.filter(({ method }) => method === "tunnel/update") ?? [];
    assert.deepEqual(update?.params, {
      id,
      changes: { access: { users: ["ada:s3cret"], paths: ["/shop/*"] } },
    });
    await controller.protect(id, undefined);
    const last = test.daemons[0]?.calls.findLast(({ method }) => method === "tunnel/update");
    assert.deepEqual(last?.params, { id, changes: { access: { paths: ["/shop/*"] } } });
  });

  it("end with their time, which begins when the port is exposed by hand", async () => {
    const { controller, clock } = test;
    describePorts({ "3000": { "access-for": "1h", inspect: false } });
    await controller.project.adopt(web, controller.project.describes(web));
    await controller.expose(web, {});
    const first = spec().access?.endsAt;
    assert.equal(first, clock.now() + 3_600_000);
    assert.equal(spec().inspect, undefined);
    await clock.advance(1_000);
    await controller.relays.restart();
    assert.equal(spec().access?.endsAt, first);
    await controller.stop(controller.idOf(web));
    await controller.expose(web);
    assert.equal(spec().access?.endsAt, (first ?? 0) + 1_000);
  });

  it("are none in a workspace that is not trusted", async () => {
    test.isTrusted = false;
    describePorts({ "3000": { label: "web" } });
    await test.controller.resume();
    assert.deepEqual([test.controller.project.ports, test.controller.state.exposures], [[], []]);
  });

  it("are not asked about for a label, or for the order in which they are written", async () => {
    const { project } = test.controller;
    describePorts({ "3000": { label: "web" } });
    assert.ok(!project.isNews(web));
    describePorts({ "3000": { label: "web", mode: "http", name: "shop" } });
    await project.adopt(web, project.describes(web));
    describePorts({ "3000": { name: "shop", mode: "http", label: "shop" } });
    assert.ok(!project.isNews(web));
    describePorts({ "3000": { name: "other", mode: "http" } });
    assert.ok(project.isNews(web));
    assert.ok(!project.isNews({ ...web, host: "box.local" }));
  });
});
