import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { generateKey } from "@porthole/common/identity";
import type { DoctorReport, TunnelSpec } from "@porthole/tunnel/rpc";
import type { Relay } from "@porthole/relay";
import { TestAuthority } from "@porthole/testing/test-authority";
import {
  freePort,
  needQuic,
  settled,
  startHttp,
  startTcp,
  startTestDaemon,
  startTestRelay,
  useScope,
  withoutUdp,
  type TestDaemon,
} from "@porthole/testing/end-to-end";

describe("The doctor", function () {
  this.timeout(120_000);
  const scope = useScope();
  const startSite = () => startHttp(scope, (_request, response) => response.end("hello"));
  const relaySpec = (relay: Relay) => ({ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint });

  async function spec(test: TestDaemon, local: string, relay: TunnelSpec["relays"]): Promise<TunnelSpec> {
    const { pem } = await test.daemon.call("identity/create", {});
    return { id: "web", ...(relay ? { relays: relay } : {}), primary: { identity: { pem }, local } };
  }

  const statuses = ({ checks }: DoctorReport) => checks.map(({ id, status }) => `${id} ${status}`);
  const first = ({ checks }: DoctorReport) => checks.find(({ status }) => status === "failed");

  const allIsWell = [
    "local-port ok",
    "relay-dns ok",
    "relay-tcp ok",
    "relay-udp ok",
    "relay-trust ok",
    "relay-admission ok",
    "name-dns ok",
    "certificate ok",
    "whole-path ok",
  ];

  it("finds nothing wrong with a tunnel that runs, nor with one that is only planned, and leaves nothing", async function () {
    needQuic.call(this);
    const [service, relay] = await Promise.all([startSite(), startTestRelay(scope)]);
    // As an editor drives it: a key of the person's own vouches for those of the ports.
    const test = await startTestDaemon(scope, { owner: generateKey().pem });
    const planned = await spec(test, service.local, [relaySpec(relay)]);
    const before = await test.daemon.call("doctor", { spec: planned });
    assert.deepEqual(statuses(before), allIsWell, JSON.stringify(before));
    await settled(relay);
    await test.daemon.call("tunnel/start", planned);
    const report = await test.daemon.call("doctor", { tunnel: "web" });
    assert.deepEqual(statuses(report), allIsWell, JSON.stringify(report));
    assert.match(report.checks.at(-1)?.finding ?? "", /answers with status 200/);
    await assert.rejects(test.daemon.call("doctor", { spec: { ...planned, id: "two" } }), { code: "usage" });
    await assert.rejects(test.daemon.call("doctor", { tunnel: "web", role: "secondary" }), { code: "usage" });
  });

  it("keeps a planned tunnel behind its access rules while it looks", async () => {
    const [service, relay] = await Promise.all([startSite(), startTestRelay(scope)]);
    const test = await startTestDaemon(scope);
    const planned = { ...(await spec(test, service.local, [relaySpec(relay)])), access: { users: ["ann:secret"] } };
    const { checks } = await test.daemon.call("doctor", { spec: planned });
    const last = checks.at(-1);
    assert.equal(last?.status, "ok");
    assert.match(last?.finding ?? "", /status 401.*asked who they are/);
    await settled(relay);
  });

  it("names the first hop that fails, with its fix, and skips what depends on it", async () => {
    const [service, relay, closed, none] = await Promise.all([
      startSite(),
      startTestRelay(scope),
      startTestRelay(scope, { authorize: () => Promise.reject(new PortholeError("unauthorized", "Nobody knows you")) }),
      freePort(),
    ]);
    const test = await startTestDaemon(scope);
    const other = (await test.daemon.call("identity/create", {})).fingerprint;
    const cases: readonly [string, string, NonNullable<TunnelSpec["relays"]>, string, RegExp][] = [
      ["closed port", `127.0.0.1:${none}`, [relaySpec(relay)], "local-port", /Start the local service/],
      ["TLS", service.local.replace("http:", "https:"), [relaySpec(relay)], "local-port", /write http:/],
      ["DNS", service.local, [{ address: "relay.invalid" }], "relay-dns", /spelling/],
      ["TCP", service.local, [{ address: `127.0.0.1:${none}` }], "relay-tcp", /the relay is not/],
      ["pin", service.local, [{ ...relaySpec(relay), fingerprint: other }], "relay-trust", /fingerprint/],
      ["admission", service.local, [relaySpec(closed)], "relay-admission", /./],
    ];
    for (const [what, local, relays, id, fix] of cases) {
      const report = await test.daemon.call("doctor", { spec: await spec(test, local, relays) });
      const found = first(report);
      assert.equal(found?.id, id, `${what}: ${JSON.stringify(report)}`);
      assert.match(found.fix ?? "", fix);
      assert.equal(report.checks.at(-1)?.status, "skipped");
    }
  });

  it("tells what a local service speaks", async () => {
    const relay = await startTestRelay(scope);
    const test = await startTestDaemon(scope);
    const silent = await startTcp(scope, (socket) => socket.end());
    const greeter = await startTcp(scope, (socket) => socket.end("220 mail ready\r\n"));
    for (const [local, finding] of [
      [silent.local.replace("tcp://", ""), /ends the connection/],
      [greeter.local.replace("tcp://", ""), /speaks something else than HTTP/],
      [greeter.local, /listens\.$/],
    ] as const) {
      const { checks } = await test.daemon.call("doctor", { spec: await spec(test, local, [relaySpec(relay)]) });
      assert.match(checks[0]?.finding ?? "", finding);
      assert.notEqual(checks[0]?.status, "failed");
    }
  });

  it("takes blocked UDP for what it is: a warning", async function () {
    needQuic.call(this);
    const [service, relay] = await Promise.all([startSite(), startTestRelay(scope)]);
    const test = await startTestDaemon(scope);
    const detour = await withoutUdp(scope, relay.apiPort);
    const { checks } = await test.daemon.call("doctor", {
      spec: await spec(test, service.local, [{ address: `127.0.0.1:${detour.port}`, fingerprint: relay.fingerprint }]),
    });
    const udp = checks.find(({ id }) => id === "relay-udp");
    assert.equal(udp?.status, "warning");
    assert.match(udp.fix ?? "", /allow UDP/);
    assert.equal(checks.at(-1)?.status, "ok");
  });

  it("does not say that QUIC works with a relay whose CA it doesn't know", async function () {
    needQuic.call(this);
    const [service, folder] = await Promise.all([startSite(), scope.folder()]);
    const [certPath, keyPath] = [join(folder, "relay.pem"), join(folder, "relay.key")];
    const key = generateKey();
    const now = Date.now();
    const spki = createPublicKey(key.pem).export({ type: "spki", format: "der" });
    const dates = { notBefore: now - 3_600_000, notAfter: now + 3_600_000 };
    await writeFile(keyPath, key.pem);
    await writeFile(certPath, new TestAuthority({ now }).issue({ dnsName: "localhost", spki, ...dates }));
    const relay = await startTestRelay(scope, { args: ["--tls-cert", certPath, "--tls-key", keyPath] });
    const test = await startTestDaemon(scope);
    const { checks } = await test.daemon.call("doctor", {
      spec: await spec(test, service.local, [
        { address: `localhost:${relay.apiPort}`, fingerprint: relay.fingerprint },
      ]),
    });
    const udp = checks.find(({ id }) => id === "relay-udp");
    assert.equal(udp?.status, "warning");
    assert.match(udp.finding, /can be reached, and QUIC does not trust/);
    assert.equal(checks.at(-1)?.status, "ok");
  });
});
