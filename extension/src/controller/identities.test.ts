import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { PortholeError } from "@porthole/common/errors";
import { until } from "@porthole/testing/until";
import type { PortTarget } from "../ports/index.ts";
import { endpoint, testController, type FakeDaemon, type TestController } from "./fixture.test.ts";

const web: PortTarget = { host: "localhost", port: 3000, scheme: undefined, label: "vite" };
const api: PortTarget = { host: "localhost", port: 4000, scheme: undefined, label: undefined };

const newKey = (): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();

describe("the keys of ports", () => {
  const lastDaemon = ({ daemons }: TestController): FakeDaemon =>
    daemons.at(-1) ?? assert.fail("no daemon was started");

  it("takes over a key, so that the port continues under it at once, and keeps its own when there is none in the text", async () => {
    const test = testController();
    const id = test.controller.idOf(web);
    await test.controller.expose(web);
    const daemon = lastDaemon(test);
    const before = test.secrets.get(`identity ${id}`);
    const another = newKey();
    daemon.answers["identity/import"] = Promise.reject(new PortholeError("key", "there is no key"));
    await assert.rejects(test.controller.ask.readIdentity("hello", undefined), { code: "key" });
    assert.equal(test.secrets.get(`identity ${id}`), before);
    daemon.answers["identity/import"] = { pem: another, clientId: "def", fingerprint: "defg" };
    await test.controller.identities.replace(id, await test.controller.ask.readIdentity("its text", "its passphrase"));
    const [asked, told] = daemon.calls.slice(-2);
    assert.deepEqual(asked?.params, { pem: "its text", passphrase: "its passphrase" });
    assert.deepEqual(told?.params, { id, changes: { primary: { identity: { pem: another } } } });
    assert.equal(test.secrets.get(`identity ${id}`), another);
    await test.controller.close();
  });

  it("keeps the present key when the new one is refused, used by another port, or served by another window", async () => {
    const test = testController();
    const id = test.controller.idOf(web);
    await test.controller.expose(web);
    await test.controller.expose(api);
    const before = test.secrets.get(`identity ${id}`);
    const ofApi = test.secrets.get(`identity ${test.controller.idOf(api)}`) ?? assert.fail();
    await assert.rejects(test.controller.identities.replace(id, { pem: ofApi }), { code: "usage", message: /4000/ });
    lastDaemon(test).answers["tunnel/update"] = new PortholeError("name", "refused");
    await assert.rejects(test.controller.identities.replace(id, { pem: newKey() }), { code: "name" });
    assert.equal(test.secrets.get(`identity ${id}`), before);
    await test.controller.close();
  });

  it("gives a port a new key, also one that was refused", async () => {
    const test = testController();
    const id = test.controller.idOf(web);
    await test.controller.expose(web);
    const made = newKey();
    const daemon = lastDaemon(test);
    daemon.answers["identity/create"] = { pem: made, clientId: "new", fingerprint: "new" };
    const refused = { code: "unauthorized", message: "no", retryable: false } as const;
    daemon.tell(id, { endpoints: [endpoint], ended: { error: refused } });
    assert.equal((await test.controller.identities.renew(id)).clientId, "new");
    await until(() => daemon.specs().length === 2, "it was started again");
    assert.deepEqual(daemon.specs()[1]?.primary.identity, { pem: made });
    await test.controller.close();
  });
});
