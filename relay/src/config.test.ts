import assert from "node:assert/strict";
import { readOptions } from "@porthole/common/options";
import { parseAuthorizedKeys } from "./admission.ts";
import { relayConfig, type RelayConfig } from "./config.ts";
import { relayOptions } from "./options.ts";

function configure(...argv: string[]): RelayConfig {
  return relayConfig(readOptions(relayOptions, argv, {}).values);
}

describe("configuration of the relay", () => {
  it("stays on this machine and is open without a public name", () => {
    const { bindAddress, alpnPort, admission, suffixes } = configure();
    assert.deepEqual(
      { bindAddress, alpnPort, admission, suffixes },
      { bindAddress: "127.0.0.1", alpnPort: undefined, admission: { kind: "open" }, suffixes: [] },
    );
    assert.equal(configure("--domain-suffix", "x.localhost").bindAddress, "127.0.0.1");
  });

  it("is closed with a public name until somebody is let in", () => {
    assert.throws(() => configure("--domain-suffix", "t.example.com"), { code: "usage" });
    const { bindAddress, alpnPort, admission } = configure(
      "--domain-suffix",
      "*.T.example.com",
      "--authorized-keys",
      "/k",
    );
    assert.deepEqual(
      { bindAddress, alpnPort, admission },
      { bindAddress: "0.0.0.0", alpnPort: 443, admission: { kind: "keys", path: "/k" } },
    );
    assert.deepEqual(configure("--domain-suffix", "t.example.com", "--open").admission, { kind: "open" });
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

describe("authorized keys", () => {
  const id = "a".repeat(26);

  it("are client ids or fingerprints, with comments", () => {
    const keys = parseAuthorizedKeys(`# team\n${id.toUpperCase()} # laptop\n\n${"a".repeat(52)}\r\n`, "keys");
    assert.deepEqual([...keys], [id, "a".repeat(52)]);
  });

  it("name the line that is wrong", () => {
    assert.throws(() => parseAuthorizedKeys(`${id}\nnonsense\n`, "keys.txt"), {
      code: "usage",
      message: /keys\.txt, line 2/,
    });
  });
});
