import assert from "node:assert/strict";
import { readOptions } from "@porthole/common/options";
import { relayConfig, type RelayConfig } from "./config.ts";
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
    assert.deepEqual([admission.keysPath, admission.reservedNames], ["/k", ownNames]);
  });

  const contradictions = [
    ["--open", "--authorized-keys", "/k"],
    ["--tls-cert", "/c"],
    ["--tls-key", "/k"],
    ["--acme-domain", "t.example.com", "--tls-cert", "/c", "--tls-key", "/k"],
    ["--acme-domain", "not a name"],
    ["--acme-domain", "t.example.com", "--acme-eab-kid", "k"],
    ["--acme-domain", "t.example.com", "--acme-staging", "--acme-directory", "https://ca.example/dir"],
    ["--acme-domain", "t.example.com", "--acme-directory", "http://ca.example/dir"],
    ["--domain-suffix", "under_score.example"],
  ];
  for (const argv of contradictions) {
    it(`refuses ${argv.join(" ")}`, () => assert.throws(() => configure(...argv), { code: "usage" }));
  }
});
