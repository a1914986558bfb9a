import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { createCertificate, generateKey } from "@porthole/common/identity";
import type { Pebble } from "@porthole/testing/pebble";
import {
  overEachTransport,
  runCli,
  sized,
  startHttp,
  startProxy,
  startTestClient,
  startTestRelay,
  until,
  useScope,
} from "@porthole/testing/end-to-end";
import { certified, needPebble, startCertifiedClient, startWorld, suffix, trusted } from "./world.ts";

const manyClients = sized(5, 50);

describe("certificate files of a relay", () => {
  const scope = useScope();

  it("are read again when they change, and a damaged one changes nothing", async () => {
    const folder = await scope.folder();
    const [certPath, keyPath] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const write = async (): Promise<string> => {
      const key = generateKey();
      const { pem } = createCertificate({ key, dnsNames: ["relay.example"], notBefore: new Date(), days: 1 });
      await writeFile(keyPath, key.pem);
      await writeFile(certPath, pem);
      return key.fingerprint;
    };
    const first = await write();
    const relay = await startTestRelay(scope, { args: ["--tls-cert", certPath, "--tls-key", keyPath] });
    assert.equal(relay.fingerprint, first);
    await writeFile(certPath, "damaged");
    const second = await write();
    await until(() => relay.fingerprint === second, "the new certificate was in service");
  });
});

describe("certificates from a certificate authority", function () {
  this.timeout(300_000);
  const scope = useScope();

  before(needPebble);

  it("are the relay's own, too, and come into service without a restart", async () => {
    // A client that asks again and again before the certificate is there looks like one that can't be admitted.
    const { pebble, relay } = await startWorld(scope, ["--acme-domain", suffix, "--max-penalty", "0s"]);
    const ca = await pebble.rootPem();
    const key = generateKey();
    const { pem: cert } = createCertificate({ key, dnsNames: [key.clientId], notBefore: new Date(), days: 1 });
    const socket = await trusted(relay.apiPort, suffix, ca, { ALPNProtocols: ["h2"], key: key.pem, cert });
    assert.equal(socket.alpnProtocol, "h2");
    socket.destroy();
  });

  overEachTransport((transport) => {
    it("serve visitors with TLS 1.2 and 1.3, and survive a restart without another order", async () => {
      const world = await startWorld(scope);
      const service = await startHttp(scope, (_request, response) => response.end("trusted"));
      const first = await startCertifiedClient(scope, world, { transport, local: service.local });
      const { hostname } = await certified(first);
      const ca = await world.pebble.rootPem();
      for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
        const socket = await trusted(world.relay.publicPort, hostname, ca, {
          minVersion: version,
          maxVersion: version,
        });
        assert.equal(socket.getProtocol(), version);
        socket.end(`GET / HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
        assert.match(await readText(socket), /trusted$/);
      }
      await first.stop();
      const orders = count(world.pebble, "Issued certificate serial");
      const again = await startCertifiedClient(scope, world, {
        transport,
        local: service.local,
        args: ["--state-dir", first.stateDir],
      });
      await certified(again);
      (await trusted(world.relay.publicPort, hostname, ca)).destroy();
      assert.equal(count(world.pebble, "Issued certificate serial"), orders);
      const stored = await readFile(join(first.stateDir, "certificates", `${hostname}.pem`), "utf8");
      assert.ok(new X509Certificate(stored).checkHost(hostname));
    });
  });

  it("are ordered once for a name that two relays serve, whichever of them the validator comes to", async () => {
    const world = await startWorld(scope);
    const second = await startTestRelay(scope, { args: ["--domain-suffix", suffix, "--open"] });
    const service = await startHttp(scope, (_request, response) => response.end("both"));
    const client = await startCertifiedClient(scope, world, {
      servers: [second.apiPort, world.relay.apiPort],
      local: service.local,
    });
    const { hostname } = await certified(client);
    const ca = await world.pebble.rootPem();
    await client.online({ relay: 0 });
    await client.online({ relay: 1 });
    for (const relay of [world.relay, second]) (await trusted(relay.publicPort, hostname, ca)).destroy();
    assert.equal(count(world.pebble, "Issued certificate serial"), 1);
  });

  it(`come to ${manyClients} clients at once`, async () => {
    const world = await startWorld(scope, ["--new-names-per-week", String(manyClients)]);
    const service = await startHttp(scope, (_request, response) => response.end("one of many"));
    const clients = await Promise.all(
      Array.from({ length: manyClients }, (_, index) =>
        startCertifiedClient(scope, world, { transport: index % 2 ? "http2" : "quic", local: service.local }),
      ),
    );
    const names = await Promise.all(clients.map((client) => certified(client)));
    assert.equal(new Set(names.map(({ hostname }) => hostname)).size, manyClients);
    const ca = await world.pebble.rootPem();
    for (const { hostname } of names) (await trusted(world.relay.publicPort, hostname, ca)).destroy();
  });

  it("come from the authority that the invite names, and from no other that the relay recommends", async () => {
    const stateDir = await scope.folder();
    const world = await startWorld(scope, ["--state-dir", stateDir]);
    const { apiPort } = world.relay;
    const invite = await runCli(scope, "relay", [
      ...["invite", "--json", "--state-dir", stateDir],
      ...["--address", `127.0.0.1:${apiPort}`],
    ]);
    const invited = await scope.folder();
    const join = await runCli(scope, "client", [
      ...["join", (JSON.parse(invite.stdout) as { porthole: string }).porthole],
      ...["--state-dir", invited],
    ]);
    assert.match(join.stdout, /ordered from 127\.0\.0\.1:\d+ \(https:/);
    const common = { servers: [apiPort], acmeNetwork: world.network };
    const stranger = await startTestClient(scope, common);
    const told = await stranger.logged(/recommends another certificate authority/);
    assert.ok(told.includes(`set {acme-directory} to ${world.pebble.directoryUrl}`), told);
    const client = await startTestClient(scope, { ...common, args: ["--state-dir", invited] });
    const { hostname } = await certified(client);
    (await trusted(world.relay.publicPort, hostname, await world.pebble.rootPem())).destroy();
    assert.deepEqual(stranger.state.endpoints[0]?.certificates[0]?.status, "self-signed");
    assert.equal(client.log.join("\n").includes("recommends"), false);
    assert.equal(count(world.pebble, "Issued certificate serial"), 1);
  });

  it("wait when the relay has no quota left, and the state says until when", async () => {
    const world = await startWorld(scope, ["--new-names-per-week", "1"]);
    await certified(await startCertifiedClient(scope, world, {}));
    const late = await startCertifiedClient(scope, world, {});
    const failed = await late.when("a reason", ({ endpoints }) => {
      const now = endpoints[0]?.certificates[0];
      return now?.status === "failed" ? now : undefined;
    });
    assert.equal(failed.error.code, "busy");
    assert.ok((failed.nextAttemptAt ?? 0) > Date.now() + 30 * 60_000);
  });

  it("are ordered also when the validator comes in at the other relay", async () => {
    const world = await startWorld(scope);
    const elsewhere = await startTestRelay(scope, { args: ["--domain-suffix", suffix, "--open"] });
    const client = await startCertifiedClient(scope, world, { servers: [elsewhere.apiPort, world.relay.apiPort] });
    await client.online({ relay: 0 });
    await client.online({ relay: 1 });
    const { hostname } = await certified(client);
    (await trusted(elsewhere.publicPort, hostname, await world.pebble.rootPem())).destroy();
  });

  it("are not ordered before a connection from outside has reached the client", async () => {
    const world = await startWorld(scope);
    const client = await startCertifiedClient(scope, world, {
      acmeNetwork: { ...world.network, lookup: async () => [] },
    });
    const failed = await client.when("a reason", ({ endpoints }) => {
      const now = endpoints[0]?.certificates[0];
      return now?.status === "failed" ? now : undefined;
    });
    assert.match(failed.error.message, /has no address in the DNS/);
    assert.match(failed.error.hint ?? "", /Add an A or AAAA record/);
    assert.doesNotMatch(world.pebble.log(), /new-order/);
  });

  it("are ordered, and tried before, through the proxy that leads to the relay", async () => {
    const [world, proxy] = await Promise.all([startWorld(scope), startProxy(scope, "user:s3cret")]);
    const client = await startCertifiedClient(scope, world, {
      env: { PORTHOLE_PROXY: proxy.url("user:s3cret") },
      // Behind such a proxy public names may not be known.
      acmeNetwork: { ...world.network, lookup: async () => [] },
    });
    const { hostname } = await certified(client);
    (await trusted(world.relay.publicPort, hostname, await world.pebble.rootPem())).destroy();
    const { host } = new URL(world.pebble.directoryUrl);
    for (const target of [host, `${hostname}:${world.network.port}`])
      assert.ok(proxy.targets.includes(target), `${target} is not in ${proxy.targets.join(" ")}`);
  });
});

async function readText(socket: TLSSocket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

function count(pebble: Pebble, text: string): number {
  return pebble.log().split(text).length - 1;
}
