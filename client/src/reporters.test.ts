import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import type { LogLine, RelayStatusView, TunnelStateView, VisitView } from "@porthole/tunnel/rpc";
import { createJsonReporter } from "./json-reporter.ts";
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
    const visible = stripVTControlCharacters(written.replace(/[^\n]*\r/g, ""));
    assert.equal(visible, `ID: aaaa\nabove it\nURL: ${url}\nonline at relay:4433 over QUIC\n`);
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
