import assert from "node:assert/strict";
import { createCertificate, generateKey } from "../../../identity/index.ts";
import { dial, useNativeEngine, relayIdentity, selfSigned } from "../fixture.test.ts";
import type { QuicAcceptor } from "../index.ts";

const engine = "native";

describe("the native QUIC engine trusts", function () {
  this.timeout(60_000);
  let listener: QuicAcceptor;
  const { clients, listen } = useNativeEngine();

  const ca = generateKey();
  const caPem = createCertificate({ key: ca, dnsNames: [], notBefore: new Date(Date.now() - 86_400_000), days: 30 });
  const cases = [
    { name: "the pinned certificate", trust: { kind: "pinned", pem: relayIdentity.cert }, fails: undefined },
    { name: "no other than the pinned one", trust: { kind: "pinned", pem: selfSigned().cert }, fails: "untrusted" },
    {
      name: "a certificate of the given CA and name",
      trust: { kind: "ca", pem: relayIdentity.cert },
      fails: undefined,
    },
    {
      name: "no other name",
      trust: { kind: "ca", pem: relayIdentity.cert },
      serverName: "other.example",
      fails: "untrusted",
    },
    { name: "no other CA", trust: { kind: "ca", pem: caPem.pem }, fails: "untrusted" },
    { name: "nobody by Node's own CAs here", trust: { kind: "ca" }, fails: "untrusted" },
    { name: "anybody when it is told so", trust: { kind: "unchecked" }, fails: undefined },
  ] as const;
  for (const { name, trust, fails, ...rest } of cases) {
    it(name, async () => {
      listener = await listen();
      const options = { engine, trust, serverName: "relay.example", ...rest } as const;
      const dialled = dial(listener.address.port, options);
      if (fails) await assert.rejects(dialled, { code: fails });
      else clients.push(await dialled);
    });
  }
});
