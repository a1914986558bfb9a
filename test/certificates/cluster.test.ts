import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { startNats, whyNoNats } from "@porthole/testing/nats";
import { startPebble } from "@porthole/testing/pebble";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { freePort, startTestRelay, useScope } from "@porthole/testing/end-to-end";
import { needPebble, suffix, trusted } from "./world.ts";

describe("The certificate of relays that serve as one", function () {
  this.timeout(300_000);
  const scope = useScope();
  let nats: Awaited<ReturnType<typeof startNats>> | undefined;

  before(needPebble);
  before(async function () {
    this.timeout(600_000);
    const missing = await whyNoNats();
    skipUnless(this, missing === undefined, platformReason(missing ?? ""));
    nats = await startNats();
  });
  after(() => nats?.close());

  it("is ordered by one, whichever of them the validator comes to, and presented by all", async () => {
    const [server] = nats?.servers ?? [];
    const tlsPort = await freePort();
    const pebble = await startPebble({ tlsPort });
    scope.defer(() => pebble.close());
    const acmeNetwork = { trust: pebble.caPem, port: tlsPort, lookup: async () => ["127.0.0.1"] };
    const start = async (alpnPort: number) => {
      const stateDir = await scope.folder();
      const secretPath = join(stateDir, "cluster-secret");
      await writeFile(secretPath, "a secret of at least thirty-two characters");
      return startTestRelay(scope, {
        acmeNetwork,
        args: [
          ...["--domain-suffix", suffix, "--open", "--acme-domain", suffix, "--max-penalty", "0s"],
          ...["--acme-directory", pebble.directoryUrl, "--acme-email", "relay@tunnel.example"],
          ...["--alpn-port", String(alpnPort), "--state-dir", stateDir, "--peer-port", String(await freePort())],
          ...["--cluster", String(server?.url), "--cluster-secret-file", secretPath],
        ],
      });
    };
    // Validators come to the first one only; all begin to order at the same time.
    const relays = await Promise.all([start(tlsPort), start(0), start(0)]);
    const ca = await pebble.rootPem();
    const key = generateKey();
    const { pem: cert } = createCertificate({ key, dnsNames: [key.clientId], notBefore: new Date(), days: 1 });
    const serials = new Set<string>();
    for (const relay of relays) {
      const socket = await trusted(relay.apiPort, suffix, ca, { ALPNProtocols: ["h2"], key: key.pem, cert });
      serials.add(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    }
    assert.equal(serials.size, 1);
    assert.equal(pebble.log().split("Issued certificate serial").length - 1, 1);
  });
});
