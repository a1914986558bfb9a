import assert from "node:assert/strict";
import { PortholeError } from "@porthole/common/errors";
import type { CertificateView, RelayStatusView } from "@porthole/tunnel/rpc";
import type { DaemonStatus } from "./daemon-supervisor.ts";
import { diagnosticsOf } from "./diagnostics.ts";
import { environmentOf } from "./environment.ts";
import type { Exposure } from "./exposure.ts";
import { endpoint, online } from "./fixture.test.ts";
import { describeAccess, describeCertificate, describeExposure } from "./state-text.ts";

const now = Date.UTC(2026, 0, 1);
const running: DaemonStatus = {
  status: "running",
  info: { rpcVersion: 1, version: "0", node: "20", quic: { available: true } },
  pid: 1,
};
const refused = {
  code: "unauthorized",
  message: "this relay does not know you",
  hint: "Ask for an invite",
  retryable: false,
};
const unreachable = { code: "unreachable", message: "connection refused", retryable: true };

function exposure(status?: RelayStatusView, more: Partial<Exposure> = {}, localUp?: boolean): Exposure {
  const view = { ...endpoint, relays: status ? [{ address: "relay.example:4433", now: status }] : [] };
  return {
    id: "x",
    target: { host: "localhost", port: 3000, scheme: undefined, label: "vite" },
    secondary: undefined,
    phase: "on",
    tunnel: { endpoints: [localUp === undefined ? view : { ...view, localUp }] },
    error: undefined,
    lastVisitAt: undefined,
    ...more,
  };
}

describe("texts of states", () => {
  const overH2: RelayStatusView = {
    ...online,
    transport: "http2",
    whyNotQuic: "UDP to relay.example:4433 got no answer",
    nextQuicTryAt: now + 120_000,
  };
  for (const [name, given, daemon, kind, text, detail] of [
    ["connecting", exposure({ status: "connecting" }), running, "busy", /^connecting$/, undefined],
    [
      "before the daemon said anything",
      exposure(undefined, { tunnel: undefined }),
      running,
      "busy",
      /^connecting$/,
      undefined,
    ],
    ["online over QUIC", exposure(online), running, "good", /over QUIC$/, undefined],
    ["online over HTTP/2, and why", exposure(overH2), running, "good", /over HTTP\/2$/, /no answer; next try in 2 min/],
    [
      "online, local port closed",
      exposure(online, {}, false),
      running,
      "degraded",
      /port is closed/,
      /Start the service on localhost:3000/,
    ],
    [
      "waiting",
      exposure({ status: "waiting", delayMs: 12_000, error: unreachable }),
      running,
      "bad",
      /^relay unreachable$/,
      /connection refused/,
    ],
    [
      "refused by the only relay",
      exposure({ status: "failed", error: refused }),
      running,
      "bad",
      /^not admitted$/,
      /Ask its host for a new invite/,
    ],
    [
      "over",
      exposure(undefined, { tunnel: { endpoints: [], ended: { error: refused } } }),
      running,
      "bad",
      /^not admitted$/,
      /invite/,
    ],
    [
      "the process has died",
      exposure(online),
      { status: "waiting", error: new PortholeError("closed", "ended with SIGKILL"), nextAttemptAt: now + 2_000 },
      "bad",
      /^tunnel process ended$/,
      /SIGKILL/,
    ],
    ["stopped", exposure(online, { phase: "off" }), running, "off", /^stopped$/, undefined],
    [
      "elsewhere",
      exposure(undefined, { phase: "elsewhere" }),
      running,
      "off",
      /^exposed by another window$/,
      /Take it over/,
    ],
  ] as const satisfies readonly (readonly [string, Exposure, DaemonStatus, string, RegExp, RegExp | undefined])[])
    it(`describes: ${name}`, () => {
      const described = describeExposure(given, daemon, now);
      assert.equal(described.kind, kind);
      assert.match(described.text, text);
      if (detail) assert.match(described.detail ?? "", detail);
      else assert.equal(described.detail, undefined);
    });

  it("has at most four words for each state, and says when the next attempt is by the clock", () => {
    const status = { status: "waiting", delayMs: 12_000, error: unreachable } as const;
    const later = describeExposure(exposure(status, { toldAt: now }), running, now + 10_000);
    assert.equal(later.next, `next try ${new Date(now + 12_000).toLocaleTimeString()}`, "also ten seconds later");
    for (const code of [
      "unauthorized",
      "untrusted",
      "name",
      "version",
      "usage",
      "state",
      "timeout",
      "limit",
      "internal",
    ]) {
      const { text, detail } = describeExposure(
        exposure({ status: "failed", error: { ...refused, code } }),
        running,
        now,
      );
      assert.ok(text.split(" ").length <= 4, text);
      assert.ok(detail);
    }
  });

  const day = 86_400_000;
  for (const [certificate, kind, text] of [
    [{ status: "self-signed" }, "degraded", /self-signed/],
    [{ status: "pending" }, "busy", /pending/],
    [{ status: "valid", notAfter: now + 30.5 * day }, "good", /30 days/],
    [{ status: "failed", error: unreachable, nextAttemptAt: now + 60_000 }, "degraded", /no certificate yet/],
    [{ status: "failed", error: unreachable, notAfter: now + 3 * day }, "good", /3 days, renewal failed/],
  ] as const)
    it(`describes a certificate that is ${certificate.status}`, () => {
      const described = describeCertificate({ hostname: "h", sha256: "", ...certificate } as CertificateView, now);
      assert.equal(described.kind, kind);
      assert.match(described.text, text);
    });
});

describe("who may visit", () => {
  for (const [access, text] of [
    [undefined, "everyone with the URL"],
    [{ credentials: [], addresses: [], paths: [] }, "everyone with the URL"],
    [{ credentials: ["share", "basic"], addresses: [], paths: [] }, "share link, password"],
    [
      { credentials: ["webhook github"], addresses: ["10.0.0.0/8"], paths: ["/hook"] },
      "signed webhooks · certain addresses · certain paths",
    ],
  ] as const)
    it(`is said: ${text}`, () => assert.equal(describeAccess(access, now), text));
});

describe("the terminal's environment", () => {
  it("has the public name once it is known, and nothing before", () => {
    assert.deepEqual(environmentOf([exposure(undefined, { tunnel: undefined })]), []);
    assert.deepEqual(environmentOf([exposure(online, { phase: "off" })]), []);
    assert.deepEqual(
      environmentOf([exposure(online)]).map(({ name, value }) => `${name}=${value}`),
      [
        "PORTHOLE_URL=https://abc.relay.example",
        "PORTHOLE_HOST=abc.relay.example",
        "__VITE_ADDITIONAL_SERVER_ALLOWED_HOSTS=abc.relay.example",
        "RAILS_DEVELOPMENT_HOSTS=abc.relay.example",
      ],
    );
  });
});

describe("diagnostics", () => {
  it("leave out names, addresses, tokens and paths", () => {
    const failing = exposure({
      status: "waiting",
      delayMs: 1,
      error: { ...unreachable, message: "abc.relay.example at relay.example: /home/ann/x" },
    });
    const text = diagnosticsOf(
      {
        daemon: running,
        relays: [{ address: "relay.example:4433", fingerprint: "secretpin", label: "Ann's relay" }],
        exposures: [
          {
            ...failing,
            tunnel: {
              endpoints: [
                {
                  ...(failing.tunnel?.endpoints[0] ?? endpoint),
                  certificates: [{ hostname: "abc.relay.example", sha256: "", status: "self-signed" }],
                },
              ],
            },
          },
        ],
        isTrial: false,
      },
      { app: "code-server" },
    );
    for (const secret of ["relay.example", "secretpin", "Ann", "/home/ann", "vite"])
      assert.ok(!text.includes(secret), secret);
    assert.match(text, /unreachable/);
    assert.match(text, /code-server/);
  });
});
