import assert from "node:assert/strict";
import dgram from "node:dgram";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { acceptQuic, quicAvailability } from "@porthole/common/link/quic";
import { quicReason, skipUnless } from "@porthole/testing";
import { systemClock, type Clock } from "@porthole/common/util";
import type { Protocol } from "./probe.ts";
import { checkPorts, wantedPorts, type PortsContext, type WantedPort } from "./ports.ts";

/** Runs twenty times as fast, for what does not answer; what does may need the time. */
const impatient: Clock = { ...systemClock, timer: (delayMs, callback) => systemClock.timer(delayMs / 20, callback) };
const { signal } = new AbortController();
const address = "127.0.0.1";
const addresses = { api: address, public: address, alpn: address, http: address, quic: address };
const context: PortsContext = {
  isRunning: false,
  publicAddresses: ["127.0.0.1"],
  machineAddresses: ["127.0.0.1"],
  clock: systemClock,
  signal,
};

function wanted(protocol: Protocol, port = 0): WantedPort {
  return { flag: protocol === "udp" ? "api-port" : "pub-port", protocol, address, port, purpose: "visitors" };
}

async function statuses(port: WantedPort, more: Partial<PortsContext> = {}) {
  const checks = await checkPorts([port], { ...context, ...more });
  return checks.map(({ id, status, finding, fix }) => ({ id, status, all: `${finding} ${fix ?? ""}` }));
}

describe("the ports of a relay", function () {
  this.timeout(60_000);
  it("are each looked at once", () => {
    const describe = (ports: readonly WantedPort[]) => ports.map(({ protocol, port }) => `${port}/${protocol}`);
    assert.deepEqual(
      describe(
        wantedPorts({ apiPort: 4433, publicPort: 443, alpnPort: 443, httpPort: 80, quicPort: undefined, addresses }),
      ),
      ["4433/tcp", "4433/udp", "443/tcp", "80/tcp"],
    );
    assert.deepEqual(
      describe(
        wantedPorts({
          apiPort: 443,
          publicPort: 443,
          alpnPort: undefined,
          httpPort: undefined,
          quicPort: undefined,
          addresses,
        }),
      ),
      ["443/tcp", "443/udp"],
    );
  });

  for (const protocol of ["tcp", "udp"] as const) {
    it(`are free and can be reached: ${protocol}`, async () => {
      const [finding, ...more] = await statuses(wanted(protocol));
      assert.deepEqual([finding?.status, more], ["ok", []]);
      assert.match(finding?.all ?? "", /can be reached by 127\.0\.0\.1/);
    });

    it(`are free, and nobody knows whether they can be reached: ${protocol}`, async () => {
      const [finding] = await statuses(wanted(protocol), { publicAddresses: [] });
      assert.equal(finding?.status, "ok");
      assert.match(finding?.all ?? "", /is not known without an address/);
    });
  }

  it("are behind a proxy where they are opened on loopback: QUIC needs a port of its own", async () => {
    const behind = { publicAddresses: ["192.0.2.1"] };
    const [tcp] = await statuses(wanted("tcp"), behind);
    assert.deepEqual([tcp?.status, /a proxy on this machine/.test(tcp?.all ?? "")], ["ok", true]);
    const [udp] = await statuses(wanted("udp"), behind);
    assert.deepEqual([udp?.status, /--quic-port 443/.test(udp?.all ?? "")], ["warning", true]);
  });

  it("are taken by another program: tcp", async () => {
    const server = net.createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const [finding] = await statuses(wanted("tcp", (server.address() as AddressInfo).port));
    assert.equal(finding?.status, "failed");
    assert.match(
      finding?.all ?? "",
      process.platform === "linux" ? /is taken by another program \(.+\).*--pub-port/ : /is taken by.*--pub-port/,
    );
    server.close();
    await once(server, "close");
  });

  it("are taken by another program: udp", async () => {
    const socket = dgram.createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const [finding] = await statuses(wanted("udp", socket.address().port));
    assert.equal(finding?.status, "failed");
    assert.match(finding?.all ?? "", /UDP port \d+ is taken by another program.*--api-port/);
    socket.close();
    await once(socket, "close");
  });

  it("lead to another program by the public address", async () => {
    const server = net.createServer((socket) => socket.on("error", () => {}).end("hello"));
    server.listen(0, "127.0.0.2");
    await once(server, "listening");
    const port = wanted("tcp", (server.address() as AddressInfo).port);
    const [finding] = await statuses(port, { publicAddresses: ["127.0.0.2"], machineAddresses: [] });
    assert.equal(finding?.status, "warning");
    assert.match(finding?.all ?? "", /another program answers there/);
    server.close();
    await once(server, "close");
  });

  for (const [what, machineAddresses, status, fix] of [
    ["a firewall of its own", ["127.0.0.3"], "failed", /ufw allow/],
    [
      "a router or a provider's firewall",
      [],
      "warning",
      /from another network: (nc -zv 127.0.0.3 \d+|porthole doctor at a client)\./,
    ],
  ] as const) {
    for (const protocol of ["tcp", "udp"] as const) {
      it(`can't be reached behind ${what}: ${protocol}`, async () => {
        const [finding] = await statuses(wanted(protocol), {
          ...{ publicAddresses: ["127.0.0.3"], machineAddresses },
          clock: impatient,
        });
        assert.equal(finding?.status, status);
        assert.match(finding?.all ?? "", fix);
      });
    }
  }

  describe("of a relay that runs", () => {
    it("answer over TCP, or don't", async () => {
      const server = net.createServer((socket) => socket.on("error", () => {}).end());
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const port = wanted("tcp", (server.address() as AddressInfo).port);
      assert.equal((await statuses(port, { isRunning: true }))[0]?.status, "ok");
      server.close();
      await once(server, "close");
      const [closed] = await statuses(port, { isRunning: true });
      assert.equal(closed?.status, "failed");
      assert.match(closed?.all ?? "", /ECONNREFUSED/);
    });

    it("answer over QUIC, or are silent", async function () {
      const quic = quicAvailability();
      skipUnless(this, quic.available, quic.available ? "" : quicReason(quic.reason));
      const key = generateKey();
      const { pem } = createCertificate({ key, dnsNames: ["localhost"], notBefore: new Date(), days: 1 });
      const listener = await acceptQuic({ address: "127.0.0.1", port: 0, cert: pem, key: key.pem }, { signal });
      const [served] = await statuses(wanted("udp", listener.address.port), { isRunning: true });
      assert.equal(served?.status, "ok");
      await listener.close();
      const silent = dgram.createSocket("udp4");
      silent.bind(0, "127.0.0.1");
      await once(silent, "listening");
      const port = wanted("udp", silent.address().port);
      const [finding] = await statuses(port, { isRunning: true, clock: impatient });
      assert.equal(finding?.status, "failed");
      assert.equal(finding.id, "udp");
      assert.match(finding.all, /An answer from 127\.0\.0\.1 took longer/);
      silent.close();
      await once(silent, "close");
    });
  });
});
