import assert from "node:assert/strict";
import { readOptions } from "@porthole/common/options";
import { optionsFor, relayConfig, type RelayConfig } from "./config.ts";
import { relayOptions } from "./options.ts";

function configure(...argv: string[]): RelayConfig {
  return relayConfig(readOptions(relayOptions, argv, {}).values);
}

describe("configuration of the relay", () => {
  const stays = { bindAddress: "127.0.0.1", alpnPort: undefined, open: true, givesNames: true };
  const closed = { bindAddress: "0.0.0.0", alpnPort: 443, open: false, givesNames: true };
  const cases: readonly [string, readonly string[], object][] = [
    ["stays on this machine and is open without a public name", [], stays],
    ["stays on this machine with a name that is only known there", ["--domain-suffix", "x.localhost"], stays],
    ["is closed with a list", ["--authorized-keys", "/k"], { ...stays, open: false }],
    ["is closed with a public name", ["--domain-suffix", "t.example.com"], closed],
    ["is closed with a name of its own", ["--acme-domain", "t.example.com"], closed],
    [
      "is closed as soon as others could connect",
      ["--bind-addr", "0.0.0.0"],
      { bindAddress: "0.0.0.0", alpnPort: undefined, open: false, givesNames: true },
    ],
    [
      "is open to others when that is said, and gives no names then",
      ["--domain-suffix", "t.example.com", "--open"],
      { ...closed, open: true, givesNames: false },
    ],
  ];
  for (const [what, argv, expected] of cases) {
    it(what, () => {
      const { bindAddress, alpnPort, admission } = configure(...argv);
      const { open, givesNames } = admission;
      assert.deepEqual({ bindAddress, alpnPort, open, givesNames }, expected);
    });
  }

  it("takes suffixes in any spelling, and keeps its own names for itself", () => {
    const { suffixes, ownNames, admission } = configure(
      ...["--domain-suffix", "*.T.example.com", "--acme-domain", "relay.t.example.com", "--authorized-keys", "/k"],
    );
    assert.deepEqual(suffixes, ["t.example.com"]);
    assert.deepEqual(ownNames, ["t.example.com", "relay.t.example.com"]);
    assert.deepEqual([admission.keysPath, admission.reservedNames], ["/k", ["relay"]]);
  });

  it("opens each port on an address of its own, and says what a proxy forwards", () => {
    const { addresses, apiPort, publicPort, quicPort, advertisedPorts, isReachable } = configure(
      ...["--pub-port", "127.0.0.1:8443", "--api-port", "[::1]:8444", "--quic-port", "192.0.2.1:443"],
      ...["--public-port", "443"],
    );
    assert.deepEqual(addresses, {
      api: "::1",
      public: "127.0.0.1",
      alpn: "127.0.0.1",
      http: "127.0.0.1",
      quic: "192.0.2.1",
    });
    assert.deepEqual([apiPort, publicPort, quicPort], [8444, 8443, 443]);
    assert.deepEqual(advertisedPorts, { api: 443, public: 443 });
    assert.equal(isReachable, true);
    assert.equal(configure("--api-port", "127.0.0.2:1").addresses.quic, "127.0.0.2");
  });

  for (const argv of [
    ["--pub-port", "localhost:8443"],
    ["--pub-port", "::1:8443"],
    ["--pub-port", "[127.0.0.1]:8443"],
    ["--pub-port", "127.0.0.1:65536"],
    ["--pub-port", "127.0.0.1:"],
    ["--proxy-protocol-from", "10.0.0.0/33"],
    ["--proxy-protocol-from", "balancer"],
    ["--fallback", "127.0.0.1", "--domain-suffix", "t.example.com"],
    ["--fallback", "127.0.0.1:8444"],
    ["--fallback-proxy-protocol", "--domain-suffix", "t.example.com"],
    ["--public-port", "0"],
  ])
    it(`refuses ${argv.join(" ")}`, () => assert.throws(() => configure(...argv), { code: "usage" }));

  const contradictions = [
    ["--open", "--authorized-keys", "/k"],
    ["--auth-webhook", "https://example.com/"],
    ["--tls-cert", "/c"],
    ["--tls-key", "/k"],
    ["--acme-domain", "t.example.com", "--tls-cert", "/c", "--tls-key", "/k"],
    ["--acme-domain", "not a name"],
    ["--acme-domain", "t.example.com", "--acme-eab-kid", "k"],
    ["--acme-domain", "t.example.com", "--acme-staging", "--acme-directory", "https://ca.example/dir"],
    ["--acme-domain", "t.example.com", "--acme-directory", "http://ca.example/dir"],
    ["--domain-suffix", "under_score.example"],
  ];
  const webhook = { PORTHOLE_AUTH_WEBHOOK_SECRET: "0123456789abcdef" };
  const eventsSecret = { PORTHOLE_EVENTS_WEBHOOK_SECRET: "0123456789abcdef" };
  const hook = (...argv: string[]): RelayConfig => relayConfig(readOptions(relayOptions, argv, webhook).values);

  it("asks a webhook, and is closed then", () => {
    const { admission } = hook("--auth-webhook", "http://127.0.0.1:9000/x");
    assert.equal(admission.open, false);
    assert.deepEqual(
      [admission.webhook?.url, admission.webhook?.secret.reveal()],
      ["http://127.0.0.1:9000/x", "0123456789abcdef"],
    );
  });

  for (const argv of [
    [],
    ["--auth-webhook", "nonsense"],
    ["--auth-webhook", "ftp://example.com"],
    ["--auth-webhook", "https://user:password@example.com/"],
    ["--auth-webhook", "https://example.com/", "--open"],
  ]) {
    it(`refuses with a webhook's secret: ${argv.join(" ")}`, () =>
      assert.throws(() => hook(...argv), { code: "usage" }));
  }

  it("takes a webhook for events, on an open relay too, and refuses what a webhook can't be", () => {
    const configured = (...argv: string[]): RelayConfig =>
      relayConfig(readOptions(relayOptions, argv, eventsSecret).values);
    assert.equal(
      configured("--events-webhook", "https://example.com/e", "--open").eventsWebhook?.url,
      "https://example.com/e",
    );
    for (const argv of [
      [],
      ["--events-webhook", "nonsense"],
      ["--events-webhook", "https://user:password@example.com/"],
    ])
      assert.throws(() => configured(...argv), { code: "usage", message: /--events-webhook/ });
  });

  it("refuses a webhook whose secret can be guessed, and does not repeat it", () => {
    const short = { PORTHOLE_AUTH_WEBHOOK_SECRET: "hunter2" };
    assert.throws(
      () => relayConfig(readOptions(relayOptions, ["--auth-webhook", "https://example.com/"], short).values),
      (error: Error) => /fewer than 16/.test(error.message) && !error.message.includes("hunter2"),
    );
  });

  it("can be told in the words of the options", () => {
    assert.deepEqual(optionsFor(["publicPort", "isReachable"]), ["pub-port"]);
    for (const name of optionsFor(Object.keys(configure()))) assert.ok(name in relayOptions, name);
  });

  for (const argv of contradictions) {
    it(`refuses ${argv.join(" ")}`, () => assert.throws(() => configure(...argv), { code: "usage" }));
  }
});
