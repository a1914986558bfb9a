import assert from "node:assert/strict";
import tls from "node:tls";
import { once } from "node:events";
import { readOptions } from "@porthole/common/options";
import { systemClock } from "@porthole/common/util";
import { createDialers } from "@porthole/tunnel/dialers";
import type { TunnelInfo } from "@porthole/tunnel/rpc";
import { openRuntime } from "@porthole/tunnel/rpc/daemon";
import { clientOptions, nameTargets, parseTarget, tunnelSpecs } from "porthole";
import { freePort, runCli, startHttp, startTestRelay, until, useScope } from "@porthole/testing/end-to-end";
import { startPebble, whyNoPebble } from "@porthole/testing/pebble";
import { skipUnless } from "@porthole/testing/skip";

const suffix = "tunnel.example";
const ordersMs = 200_000;

describe("many tunnels, one invite", function () {
  this.timeout(300_000);
  const scope = useScope();

  before(function () {
    const why = whyNoPebble();
    skipUnless(this, why === undefined, why ?? "");
  });

  it("have a trusted certificate each, over one set of links", async () => {
    const tlsPort = await freePort();
    const pebble = await startPebble({ tlsPort });
    scope.defer(() => pebble.close());
    const [relayDir, stateDir] = [await scope.folder(), await scope.folder()];
    const acmeNetwork = { trust: pebble.caPem, port: tlsPort, lookup: async () => ["127.0.0.1"] };
    const relay = await startTestRelay(scope, {
      args: [
        ...["--state-dir", relayDir, "--domain-suffix", suffix, "--alpn-port", String(tlsPort)],
        ...["--acme-directory", pebble.directoryUrl, "--acme-email", "relay@tunnel.example"],
      ],
      acmeNetwork,
    });
    const invite = (
      await runCli(scope, "relay", [
        "invite",
        "--address",
        `127.0.0.1:${relay.apiPort}`,
        "--state-dir",
        relayDir,
        "--json",
      ])
    ).stdout;
    const owner = { path: `${stateDir}/primary-key.pem` };
    const runtime = await openRuntime({
      ...{ stateDir, owner, acmeNetwork },
      ...{ clock: systemClock, dialers: createDialers(), software: "test" },
    });
    scope.defer(() => runtime.close());
    const signal = runtime.shutDown;
    await runtime.handlers["relay/add"](
      { invite: (JSON.parse(invite) as { readonly porthole: string }).porthole },
      { signal },
    );
    const { relays } = await runtime.handlers["relay/list"]({}, { signal });
    const sites = await Promise.all(
      ["web", "api", "main"].map((name) => startHttp(scope, (_request, response) => response.end(name))),
    );
    const targets = nameTargets([
      parseTarget(`web=${sites[0]?.port}`),
      parseTarget(`api=${sites[1]?.port}`),
      parseTarget(String(sites[2]?.port)),
    ]);
    const { values } = readOptions(clientOptions, ["--acme-directory", pebble.directoryUrl], {});
    for (const spec of tunnelSpecs(values, targets, stateDir, relays))
      await runtime.handlers["tunnel/start"](spec, { signal });
    let seen: readonly TunnelInfo[] = [];
    await until(
      async () => {
        seen = (await runtime.handlers["tunnel/list"]({}, { signal })).tunnels;
        return seen.every(({ state }) => state.endpoints[0]?.certificates[0]?.status === "valid");
      },
      () => `every certificate is there: ${JSON.stringify(seen)}`,
      ordersMs,
    );
    // One set: each link leads to all three. QUIC and HTTP/2 are tried as for one client, so the number changes at first.
    const linksOfEach = (): string[][] => relay.report().clients.map(({ links }) => links.map(({ link }) => link));
    await until(
      () => {
        const each = linksOfEach();
        const all = new Set(each.flat());
        return (
          each.length === 3 && each.every((links) => links.length === all.size) && relay.counts().links === all.size
        );
      },
      () => `all share their links: ${JSON.stringify(linksOfEach())}`,
    );
    const ca = await pebble.rootPem();
    for (const { id, state } of seen) {
      const { hostname } = new URL(state.endpoints[0]?.urls[0] ?? "");
      const socket = tls.connect({ host: "127.0.0.1", port: relay.publicPort, servername: hostname, ca });
      scope.defer(() => socket.destroy());
      await once(socket, "secureConnect");
      socket.write(`GET / HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
      let text = "";
      for await (const chunk of socket.setEncoding("utf8")) text += String(chunk);
      assert.ok(text.endsWith(id), text);
    }
  });
});
