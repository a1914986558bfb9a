import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import type { CertificateStatus, EndpointState, RelayStatus, VisitReport } from "@porthole/tunnel/tunnel";
import { describeCertificate, describeStatus, describeVisit, urlsOf } from "./text.ts";

const error = new PortholeError("unreachable", "relay:4433: no route");
const online = { status: "online", links: 1, hostnames: ["x.example"], urls: ["https://x.example"] } as const;

describe("what is said of a relay", () => {
  const cases: readonly [RelayStatus, string][] = [
    [{ status: "connecting" }, "connecting to relay:4433"],
    [{ ...online, transport: "quic" }, "online at relay:4433 over QUIC"],
    [{ ...online, transport: "http2" }, "online at relay:4433 over HTTP/2"],
    [
      { ...online, transport: "http2", whyNotQuic: "QUIC is being tried" },
      "online at relay:4433 over HTTP/2: QUIC is being tried",
    ],
    ...(
      [
        [1_900, "now"],
        [46_000, "in 45 s"],
        [121_000, "in 2 min"],
      ] as const
    ).map(([nextQuicTryAt, when]): [RelayStatus, string] => [
      { ...online, transport: "http2", whyNotQuic: "UDP to relay:4433 got no answer", nextQuicTryAt },
      `online at relay:4433 over HTTP/2: UDP to relay:4433 got no answer, next try ${when}`,
    ]),
    [{ status: "waiting", delayMs: 999, error }, "relay:4433: no route; trying again in 999 ms"],
    [{ status: "waiting", delayMs: 12_345, error }, "relay:4433: no route; trying again in 12.3 s"],
    [{ status: "failed", error }, "gave up on relay:4433: relay:4433: no route"],
    [{ status: "stopped" }, "stopped"],
  ];
  for (const [status, text] of cases) it(text, () => assert.equal(describeStatus("relay:4433", status, 1_000), text));
});

describe("what is said of a certificate", () => {
  const notAfter = Date.UTC(2026, 10, 5, 12);
  const nextAttemptAt = Date.UTC(2026, 9, 1, 8, 30);
  const cases: readonly [CertificateStatus, string][] = [
    [{ status: "self-signed" }, "self-signed, browsers ask before they go on"],
    [{ status: "valid", notAfter } as CertificateStatus, "valid until 2026-11-05"],
    [{ status: "renewing", notAfter } as CertificateStatus, "being renewed, valid until 2026-11-05"],
    [
      { status: "failed", error, nextAttemptAt } as CertificateStatus,
      "relay:4433: no route; next attempt at 2026-10-01 08:30 UTC; self-signed until then",
    ],
    [{ status: "failed", error, notAfter } as CertificateStatus, "relay:4433: no route; valid until 2026-11-05"],
  ];
  for (const [status, text] of cases)
    it(text, () => assert.equal(describeCertificate("x.example", status), `certificate of x.example: ${text}`));
});

describe("what is said of a visit", () => {
  const visit: VisitReport = {
    role: "primary",
    address: "192.0.2.1",
    hostname: "x.example",
    traceId: "trace",
    transport: "quic",
    durationMs: 12.7,
    bytesIn: 999,
    bytesOut: 1_000,
  };
  const cases: readonly [Partial<VisitReport>, string][] = [
    [{}, "192.0.2.1  999 B in, 1.0 kB out  13 ms"],
    [{ bytesIn: 0, bytesOut: 1_550_000, durationMs: 61_000 }, "192.0.2.1  0 B in, 1.6 MB out  61.0 s"],
    [{ bytesOut: 3.2e15 }, "192.0.2.1  999 B in, 3200.0 TB out  13 ms"],
    [{ error }, "192.0.2.1  999 B in, 1.0 kB out  13 ms  relay:4433: no route"],
    // A visitor who leaves is no trouble.
    [{ error: new PortholeError("aborted", "left") }, "192.0.2.1  999 B in, 1.0 kB out  13 ms"],
  ];
  for (const [change, text] of cases) it(text, () => assert.equal(describeVisit({ ...visit, ...change }), text));
});

describe("the URLs of an endpoint", () => {
  it("are those of the relays that are online, each once", () => {
    const relay = (...urls: string[]) => ({ server: "r", now: { ...online, transport: "quic", urls } as const });
    const endpoint = {
      relays: [relay("https://a"), relay("https://a", "https://b"), { server: "r", now: { status: "stopped" } }],
    } as unknown as EndpointState;
    assert.deepEqual(urlsOf(endpoint), ["https://a", "https://b"]);
  });
});
