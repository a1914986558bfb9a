import assert from "node:assert/strict";
import type { PortTarget } from "../ports/index.ts";
import { testController } from "./fixture.test.ts";
import { urlReady } from "./url-ready.ts";

const web: PortTarget = { host: "localhost", port: 3000, scheme: undefined, label: "vite" };

describe("urlReady", () => {
  async function exposed() {
    const test = testController();
    await test.controller.expose(web);
    const id = test.controller.idOf(web);
    const { clock, controller } = test;
    const daemon = test.daemons.at(-1) ?? assert.fail("no daemon was started");
    return { test, id, daemon, ready: () => urlReady(controller, id, { clock }) };
  }

  it("answers once a relay is online", async () => {
    const { test, id, daemon, ready } = await exposed();
    const url = ready();
    daemon.tellRelay(id, { status: "connecting" }, { urls: [] });
    daemon.tellRelay(id);
    assert.equal(await url, "https://abc.relay.example");
    await test.controller.close();
    assert.equal(test.clock.pending, 0);
  });

  it("says why when every relay has refused", async () => {
    const { test, id, daemon, ready } = await exposed();
    const url = ready();
    const error = { code: "unauthorized", message: "not on the list", hint: "Ask for an invite", retryable: false };
    daemon.tell(id, { endpoints: [], ended: { error } });
    await assert.rejects(url, { code: "unauthorized", message: "not on the list", hint: "Ask for an invite" });
    await test.controller.close();
  });

  it("says what is in the way when it takes too long", async () => {
    const { test, id, daemon, ready } = await exposed();
    const url = ready();
    const error = { code: "unreachable", message: "connection refused", retryable: true };
    daemon.tellRelay(id, { status: "waiting", delayMs: 1_000, error }, { urls: [] });
    const rejected = assert.rejects(url, { code: "timeout", message: "connection refused" });
    await test.clock.advance(30_000);
    await rejected;
    await test.controller.close();
  });
});
