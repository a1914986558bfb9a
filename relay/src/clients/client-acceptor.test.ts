import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import { dialQuic } from "@porthole/common/link/quic";
import { silentLogger } from "@porthole/common/log";
import { freePort } from "@porthole/testing";
import { systemClock } from "@porthole/common/util";
import { ClientAcceptor } from "./client-acceptor.ts";
import type { RelayCertificate } from "../certificates/relay-certificate.ts";
import { clientIdentity, relayIdentity, selfSigned, type TestIdentity } from "../quic-worker/fixture.test.ts";
import { testLimits } from "../limits/fixture.test.ts";
import { ClientGate } from "../limits/index.ts";

const certificate = ({ cert, key }: TestIdentity): RelayCertificate => ({
  ...{ cert, key },
  fingerprint: "not looked at",
  expiresAt: Number.POSITIVE_INFINITY,
});
const holder = { fingerprint: "somebody", address: "127.0.0.1" };
const quicOptions = {
  address: "127.0.0.1",
  port: 0,
  admission: "ticket",
  engine: "auto",
  memoryCapBytes: 1024 ** 3,
} as const;

describe("where clients come in", function () {
  this.timeout(20_000);
  let door: ClientAcceptor;
  /** For each time that QUIC was said to be there: whether it could be had. */
  let told: boolean[];

  beforeEach(() => {
    told = [];
    door = new ClientAcceptor({
      certificate: certificate(relayIdentity),
      clock: systemClock,
      log: silentLogger,
      signal: new AbortController().signal,
      gate: new ClientGate({ clock: systemClock, limits: () => testLimits, onLimit: () => {} }),
      onConnection: (connection) => connection.destroy(new PortholeError("closed", "seen")),
      onQuicUp: () => void told.push(door.ticket(holder, false) !== undefined),
    });
  });

  afterEach(() => door.close());

  it("QUIC is announced when it is there: earlier clients have got no ticket", async () => {
    const opening = door.openQuic(quicOptions);
    assert.equal(door.ticket(holder, false), undefined);
    await opening;
    assert.deepEqual(told, [true]);
  });

  it("a certificate that comes while QUIC starts is QUIC's, too", async () => {
    const port = await freePort();
    const opening = door.openQuic({ ...quicOptions, port, admission: "open", engine: "auto" });
    const renewed = selfSigned();
    door.setCertificate(certificate(renewed));
    await opening;
    const trust = { kind: "pinned", pem: renewed.cert } as const;
    const { signal } = new AbortController();
    const connection = await dialQuic({ host: "127.0.0.1", port, ...clientIdentity, trust }, { signal });
    await connection.closed;
  });
});
