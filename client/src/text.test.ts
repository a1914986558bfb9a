import assert from "node:assert/strict";
import type { CertificateView, RelayStatusView, VisitView } from "@porthole/tunnel/rpc";
import { describeCertificate, describeStatus, describeVisit } from "./text.ts";

const error = { code: "unreachable", message: "relay:4433: no route", retryable: true };
const online = { status: "online", links: 1, hostnames: ["x.example"], urls: ["https://x.example"] } as const;

describe("what is said of a relay", () => {
  const cases: readonly [RelayStatusView, string][] = [
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
    ).map(([nextQuicTryAt, when]): [RelayStatusView, string] => [
      { ...online, transport: "http2", whyNotQuic: "UDP to relay:4433 got no answer", nextQuicTryAt },
      `online at relay:4433 over HTTP/2: UDP to relay:4433 got no answer, next try ${when}`,
    ]),
    [{ status: "waiting", delayMs: 999, error }, "relay:4433: no route; trying again in 999 ms"],
    [{ status: "waiting", delayMs: 12_345, error }, "relay:4433: no route; trying again in 12.3 s"],
    [{ status: "failed", error }, "stopped trying relay:4433: relay:4433: no route"],
    [{ status: "stopped" }, "stopped"],
  ];
  for (const [status, text] of cases) it(text, () => assert.equal(describeStatus("relay:4433", status, 1_000), text));
});

describe("what is said of a certificate", () => {
  const name = { hostname: "x.example", sha256: "" };
  const notAfter = Date.UTC(2026, 10, 5, 12);
  const nextAttemptAt = Date.UTC(2026, 9, 1, 8, 30);
  const cases: readonly [Partial<CertificateView>, string][] = [
    [{ status: "self-signed" }, "self-signed, browsers ask before they continue"],
    [{ status: "valid", notAfter }, "valid until 2026-11-05"],
    [{ status: "renewing", notAfter }, "being renewed, valid until 2026-11-05"],
    [
      { status: "failed", error, nextAttemptAt },
      "relay:4433: no route; next attempt at 2026-10-01 08:30 UTC; self-signed until then",
    ],
    [{ status: "failed", error, notAfter }, "relay:4433: no route; valid until 2026-11-05"],
  ];
  for (const [status, text] of cases)
    it(text, () =>
      assert.equal(describeCertificate({ ...name, ...status } as CertificateView), `certificate of x.example: ${text}`),
    );
});

describe("what is said of a visit", () => {
  const visit: VisitView = {
    role: "primary",
    address: "192.0.2.1",
    hostname: "x.example",
    traceId: "trace",
    transport: "quic",
    durationMs: 12.7,
    bytesIn: 999,
    bytesOut: 1_000,
  };
  const cases: readonly [Partial<VisitView>, string][] = [
    [{}, "192.0.2.1  999 B in, 1.0 kB out  13 ms"],
    [{ bytesIn: 0, bytesOut: 1_550_000, durationMs: 61_000 }, "192.0.2.1  0 B in, 1.6 MB out  61.0 s"],
    [{ bytesOut: 3.2e15 }, "192.0.2.1  999 B in, 3200.0 TB out  13 ms"],
    [{ error }, "192.0.2.1  999 B in, 1.0 kB out  13 ms  relay:4433: no route"],
    // A visitor who leaves is no trouble.
    [{ error: { code: "aborted", message: "left", retryable: false } }, "192.0.2.1  999 B in, 1.0 kB out  13 ms"],
  ];
  for (const [change, text] of cases) it(text, () => assert.equal(describeVisit({ ...visit, ...change }), text));
});
