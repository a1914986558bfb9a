import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import type {
  CertificateView,
  LogLine,
  RelayStatusView,
  RequestView,
  TunnelStateView,
  VisitView,
} from "@porthole/tunnel/rpc";
import { createJsonReporter } from "./json-reporter.ts";
import { watchReadiness } from "./readiness.ts";
import { createTextReporter } from "./text-reporter.ts";

const error = { code: "unreachable", message: "no route", hint: "Look at the cable.", retryable: true };
const url = "https://aaaa.localhost:8443";
const online: RelayStatusView = {
  status: "online",
  transport: "quic",
  links: 1,
  hostnames: ["aaaa.localhost"],
  urls: [url],
};
const visit: VisitView = {
  role: "primary",
  address: "192.0.2.1",
  hostname: "aaaa.localhost",
  traceId: "trace",
  transport: "quic",
  durationMs: 5,
  bytesIn: 1,
  bytesOut: 2,
};

const request: RequestView = {
  ...{ role: "primary", address: "192.0.2.1", hostname: "aaaa.localhost", traceId: "trace" },
  ...{ method: "GET", path: "/", status: 200, durationMs: 5 },
};

const gateway = { mode: "auto", headers: "auto", routes: [], paused: false, adapted: [] } as const;

function state(now: RelayStatusView, role: "primary" | "secondary" = "primary"): TunnelStateView {
  const relays = [{ address: "relay:4433", now }];
  const identity = { clientId: "aaaa", fingerprint: "aaaaaaaa" };
  const urls = now.status === "online" ? now.urls : [];
  return { endpoints: [{ role, ...identity, local: "3000", urls, gateway, relays, certificates: [] }] };
}

function log(level: LogLine["level"], message: string, fields = {}): LogLine {
  return { level, message, time: 0, fields };
}

describe("the text reporter", () => {
  let written: string;
  const output = (isTerminal: boolean) => ({
    isTerminal,
    write(text: string) {
      written += text;
    },
  });
  beforeEach(() => {
    written = "";
  });

  it("holds a state back that another one replaces at once, and says a last refusal only once", () => {
    const reporter = createTextReporter(output(false), { qr: false });
    const overHttp2 = { ...online, transport: "http2", whyNotQuic: "QUIC is being tried" } as const;
    reporter.onState("main", state(overHttp2));
    assert.doesNotMatch(written, /online/);
    reporter.onState("main", state(online));
    assert.match(written, /^online at relay:4433 over QUIC$/m);
    reporter.onState("main", state({ status: "failed", error }));
    reporter.onState("main", state(overHttp2));
    reporter.close();
    assert.doesNotMatch(written, /no route/);
    assert.match(written, /over QUIC\nonline at relay:4433 over HTTP\/2: QUIC is being tried\n$/);
  });

  it("shows a tcp service's address as its programs take it", () => {
    const reporter = createTextReporter(output(false), { qr: false });
    const [endpoint] = state(online).endpoints;
    assert.ok(endpoint);
    for (const [local, address] of [
      ["tcp://localhost:6379", "rediss://aaaa.localhost:8443"],
      ["tcp://localhost:22", "aaaa.localhost:8443, TLS"],
    ] as const) {
      reporter.onState(local, { endpoints: [{ ...endpoint, local }] });
      assert.ok(written.includes(`Address: ${address}\n`), written);
    }
    reporter.close();
  });

  it("prints plain lines where nobody looks, each thing once", () => {
    const reporter = createTextReporter(output(false), { qr: false });
    for (const now of [{ status: "connecting" }, online, online, { status: "waiting", delayMs: 900, error }] as const)
      reporter.onState("main", state(now));
    reporter.onVisit("main", visit);
    reporter.onLog(log("info", "for your information"));
    reporter.onLog(log("debug", "not for you"));
    reporter.onLog(log("warn", error.message, { hint: error.hint }));
    reporter.close();
    assert.deepEqual(written.split("\n"), [
      "ID: aaaa",
      `URL: ${url}`,
      "online at relay:4433 over QUIC",
      "no route; trying again in 900 ms. Look at the cable.",
      "192.0.2.1  1 B in, 2 B out  5 ms",
      "for your information",
      "no route. Look at the cable.",
      "",
    ]);
  });

  it("says once why it is not QUIC, however often that is tried", () => {
    const reporter = createTextReporter(output(false), { qr: false });
    const blocked = { ...online, transport: "http2", whyNotQuic: "UDP is blocked" } as const;
    for (const nextQuicTryAt of [1, 2, 3]) reporter.onState("main", state({ ...blocked, nextQuicTryAt }));
    assert.deepEqual(written.split("\n").slice(2), [
      "online at relay:4433 over HTTP/2: UDP is blocked, next try now",
      "",
    ]);
  });

  it("says which endpoint is the secondary one", () => {
    createTextReporter(output(false), { qr: false }).onState("main", state(online, "secondary"));
    assert.deepEqual(written.split("\n").slice(0, 3), [
      "Secondary ID: aaaa",
      `Secondary URL: ${url}`,
      "Secondary online at relay:4433 over QUIC",
    ]);
  });

  it("begins each line with the tunnel's name where there are several", () => {
    const reporter = createTextReporter(output(false), { qr: false, tunnels: ["web", "hook"] });
    reporter.onState("web", state(online));
    reporter.onState("hook", state({ status: "connecting" }));
    reporter.onVisit("hook", visit);
    assert.deepEqual(written.split("\n"), [
      "web   ID: aaaa",
      `web   URL: ${url}`,
      "web   online at relay:4433 over QUIC",
      "hook  ID: aaaa",
      "hook  192.0.2.1  1 B in, 2 B out  5 ms",
      "",
    ]);
  });

  it("shows a QR code of each URL when asked to", () => {
    createTextReporter(output(false), { qr: true }).onState("main", state(online));
    assert.match(written, /URL: .*\n[█▀▄ \n]{300,}/);
  });

  it("keeps a spinner below the lines on a terminal, and takes it away", () => {
    const reporter = createTextReporter(output(true), { qr: false });
    reporter.onState("main", state({ status: "connecting" }));
    assert.ok(written.endsWith("connecting to relay:4433"), written);
    reporter.onLog(log("info", "above it"));
    assert.ok(written.endsWith("connecting to relay:4433"), written);
    reporter.onState("main", state(online));
    reporter.close();
    assert.equal(visible().at(0), "above it");
    assert.ok(!visible().join("").includes("connecting"), written);
  });

  it("begins on a terminal with the URL, where it leads, and what to press", () => {
    const reporter = createTextReporter(output(true), { qr: false, tunnels: ["web", "hook"] });
    const [web, hook] = [
      state(online),
      { endpoints: state(online).endpoints.map((each) => ({ ...each, localUp: false })) },
    ];
    reporter.onState("web", web);
    reporter.onState("hook", hook);
    reporter.onRequest("web", request);
    reporter.onState("hook", { endpoints: hook.endpoints.map((each) => ({ ...each, localUp: true })) });
    reporter.close();
    const lines = visible().map((line) => line.replace(/\d\d:\d\d:\d\d/, "TIME"));
    assert.deepEqual(lines, [
      `web   ${url} → http://localhost:3000`,
      "web   online at relay:4433 over QUIC",
      `hook  ${url} → http://localhost:3000`,
      "hook  Nothing listens at http://localhost:3000 yet. Visitors get through as soon as it does.",
      "hook  online at relay:4433 over QUIC",
      "Ctrl-C ends them. In another terminal: porthole inspect --web shows requests.",
      "web   TIME  192.0.2.1  GET /  200  5 ms",
      "hook  http://localhost:3000 listens.",
      "",
    ]);
  });

  const visible = (): readonly string[] => stripVTControlCharacters(written.replaceAll(/[^\n]*\r/g, "")).split("\n");
});

describe("readiness", () => {
  const name = { hostname: "aaaa.localhost", sha256: "00" };
  const pending: CertificateView = { ...name, status: "pending", phase: "ordering" };
  const valid: CertificateView = { ...name, status: "valid", notAfter: 0, renewAt: 0 };
  const withCertificate = (certificate: CertificateView): TunnelStateView => ({
    endpoints: state(online).endpoints.map((each) => ({ ...each, certificates: [certificate] })),
  });
  const silent = createJsonReporter(() => {});

  for (const [name, isStrict, readyAt] of [
    ["has the URLs of all tunnels once they are online", false, 3],
    ["waits for certificates when asked to", true, 4],
  ] as const)
    it(name, () => {
      const ready: (readonly string[])[] = [];
      const options = {
        tunnels: ["web", "api"],
        withCertificate: isStrict,
        onReady: (urls: readonly string[]) => void ready.push(urls),
      };
      const reporter = watchReadiness(silent, options);
      const steps: readonly (readonly [string, TunnelStateView])[] = [
        ["api", withCertificate(valid)],
        ["web", state({ status: "connecting" })],
        ["web", withCertificate(pending)],
        ["web", withCertificate(valid)],
        ["web", withCertificate(valid)],
      ];
      for (const [index, [tunnel, now]] of steps.entries()) {
        reporter.onState(tunnel, now);
        assert.equal(ready.length, index + 1 >= readyAt ? 1 : 0);
      }
      assert.deepEqual(ready, [[url, url]]);
    });
});

describe("the JSON reporter", () => {
  it("prints one object a line, with errors as they are told", () => {
    let written = "";
    const reporter = createJsonReporter((text) => {
      written += text;
    });
    reporter.onState("main", state({ status: "failed", error }));
    reporter.onVisit("main", { ...visit, error });
    reporter.onLog(log("warn", "careful", { path: "/x" }));
    reporter.onLog(log("debug", "not for you"));
    reporter.close();
    const lines = written
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      lines.map(({ event }) => event),
      ["state", "visit", "log"],
    );
    assert.deepEqual(
      lines.map(({ tunnel }) => tunnel),
      ["main", "main", undefined],
    );
    assert.deepEqual(lines[1]?.["error"], error);
    assert.match(written, /"now":\{"status":"failed","error":\{"code":"unreachable"/);
    const { time, ...logged } = lines[2] ?? {};
    assert.deepEqual(logged, { event: "log", level: "warn", message: "careful", path: "/x" });
    assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  });
});
