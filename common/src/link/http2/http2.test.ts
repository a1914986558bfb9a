import { once } from "node:events";
import net from "node:net";
import { systemClock } from "../../util/index.ts";
import { createCertificate, generateKey } from "../../identity/index.ts";
import { linkCompliance } from "@porthole/testing/link-compliance";
import { createLink } from "../index.ts";
import { acceptHttp2, dialHttp2 } from "./index.ts";

function selfSigned(): { cert: string; key: string } {
  const key = generateKey();
  const now = Date.now();
  const validity = { notBefore: new Date(now - 1000), notAfter: new Date(now + 86_400_000) };
  return { cert: createCertificate({ key, dnsNames: ["localhost"], ...validity }).pem, key: key.pem };
}

linkCompliance(
  "http2",
  async () => {
    const { signal } = new AbortController();
    const relayIdentity = selfSigned();
    const acceptor = acceptHttp2({ ...relayIdentity, verifyPeer: () => {} });
    // As the relay's listeners are, for their visitors.
    const server = net.createServer({ allowHalfOpen: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const accepted = once(server, "connection").then(([socket]) =>
      acceptor.accept(socket as net.Socket, { remote: { address: "127.0.0.1", port: 0 }, signal }),
    );
    const dialled = dialHttp2(
      {
        host: "127.0.0.1",
        port,
        ...selfSigned(),
        trust: { kind: "unchecked" },
        verifyPeer: () => {},
      },
      { signal },
    );
    const [relay, client] = await Promise.all([accepted, dialled]);
    return {
      relay: createLink(relay, { clock: systemClock, heartbeat: "watch" }),
      client: createLink(client, { clock: systemClock, heartbeat: "send" }),
      dispose: () => new Promise((resolve) => server.close(() => resolve())),
    };
  },
  // Both ends' windows, and what Node and the kernel hold in between.
  { manyAborts: 2_000, maxStalledBytes: 4 * 1024 * 1024 },
);
