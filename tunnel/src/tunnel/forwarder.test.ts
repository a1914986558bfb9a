import assert from "node:assert/strict";
import { once } from "node:events";
import tls from "node:tls";
import { PortholeError } from "@porthole/common/errors";
import { createLink, type Link } from "@porthole/common/link";
import { memoryConnectionPair } from "@porthole/testing/memory-link";
import { silentLogger } from "@porthole/common/log";
import { alpn, encodeProxyHeader } from "@porthole/common/protocol";
import { systemClock } from "@porthole/common/util";
import { Endpoint } from "./endpoint.ts";
import { key } from "./fixture.test.ts";
import { forward, type VisitReport } from "./forwarder.ts";
import { readVisitor } from "./read-visitor.ts";

const over = new PortholeError("closed", "The test is over");
const nowhere = { address: "127.0.0.1", port: 1 };
const hostname = `${key.clientId}.localhost`;
const leavers = 200;

describe("a visitor's stream at the client", () => {
  let relay: Link;
  let client: Link;
  let endpoint: Endpoint;
  let reports: VisitReport[];
  /** TLS handshakes that were begun. */
  let begun: number;

  beforeEach(async () => {
    const context = { clock: systemClock, log: silentLogger };
    const local = { text: "none", kind: "any", host: "127.0.0.1", port: 9 } as const;
    endpoint = await Endpoint.create({ role: "primary", key, local, ...context });
    const contextFor = endpoint.contextFor.bind(endpoint);
    begun = 0;
    endpoint.contextFor = (name) => {
      begun += 1;
      return contextFor(name);
    };
    const pair = memoryConnectionPair();
    relay = createLink(pair.relay, { clock: systemClock, heartbeat: "watch" });
    client = createLink(pair.client, { clock: systemClock, heartbeat: "send" });
    reports = [];
    const { signal } = new AbortController();
    const onVisit = (report: VisitReport): void => void reports.push(report);
    void (async () => {
      for await (const stream of client.incoming)
        void readVisitor(stream, client, { ...context, signal }).then((visitor) =>
          forward(visitor, { endpoint, ...context, signal, onVisit, onRequest: () => {} }),
        );
    })();
  });

  afterEach(async () => {
    await relay.close(over);
    await client.closed;
  });

  it(`costs no TLS handshake when the visitor has left: ${leavers} who leave, and one who stays`, async () => {
    const header = encodeProxyHeader({ source: nowhere, destination: nowhere, authority: hostname });
    for (let i = 0; i < leavers; i++) {
      const stream = relay.openStream();
      stream.write(header);
      stream.destroy(new PortholeError("aborted", "gone"));
    }
    const stream = relay.openStream();
    stream.write(header);
    const visitor = tls.connect({ socket: stream, servername: hostname, rejectUnauthorized: false });
    visitor.on("error", () => {});
    await once(visitor, "secureConnect");
    assert.ok(begun <= 10, `${begun} handshakes`);
    visitor.destroy();
  });

  it("tells the relay that a challenge is not known here", async () => {
    const stream = relay.openStream();
    const alpnTlv = { alpn: alpn.acmeChallenge };
    stream.write(encodeProxyHeader({ source: nowhere, destination: nowhere, authority: hostname, ...alpnTlv }));
    const [error] = (await once(stream, "error")) as [PortholeError];
    assert.equal(error.code, "aborted");
    assert.match(error.message, /\(name\)/);
    assert.equal(begun, 0);
  });
});
