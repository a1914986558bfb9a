import assert from "node:assert/strict";
import { hostPort } from "@porthole/common/options";
import { startFakeDns } from "@porthole/testing";
import { checkDns, type DnsContext } from "./dns.ts";

const [v4, other, v6] = ["203.0.113.7", "198.51.100.9", "2001:db8::7"];
const domain = "t.example.com";

interface Case {
  readonly apex: readonly string[] | undefined;
  readonly wildcard: readonly string[] | undefined;
  readonly context?: Partial<DnsContext>;
  readonly expected: readonly (readonly [string, RegExp])[];
  readonly fix?: RegExp;
}

const ok = ["ok", /^t\.example\.com and \*\.t\.example\.com lead to/] as const;

describe("what the DNS says of a relay", () => {
  const cases: Readonly<Record<string, Case>> = {
    "everything leads here": { apex: [v4], wildcard: [v4], expected: [ok] },
    "over both kinds of address": {
      apex: [v4, v6],
      wildcard: [v6, v4],
      context: { listensOnIpv6: true, machineAddresses: [v4, v6] },
      expected: [["ok", /2001:db8::7, 203\.0\.113\.7|203\.0\.113\.7, 2001:db8::7/]],
    },
    "nothing at all": {
      apex: undefined,
      wildcard: undefined,
      expected: [
        ["failed", /^t\.example\.com has no address/],
        ["failed", /^\*\.t\.example\.com has no address/],
      ],
      fix: /t\.example\.com\. A 203\.0\.113\.7$/,
    },
    "no wildcard": {
      apex: [v4],
      wildcard: undefined,
      expected: [["failed", /^\*\.t\.example\.com has no address/]],
      fix: /\*\.t\.example\.com\. A 203\.0\.113\.7/,
    },
    "only a wildcard": { apex: [], wildcard: [v4], expected: [["failed", /^t\.example\.com has no address/]] },
    "two machines": {
      apex: [v4],
      wildcard: [v4, other],
      context: { machineAddresses: ["10.0.0.2"] },
      expected: [["failed", /leads to 203\.0\.113\.7, but the names under it lead to 198\.51\.100\.9, 203\.0\.113\.7/]],
    },
    "another machine": {
      apex: [other],
      wildcard: [other],
      expected: [["failed", /leads to 198\.51\.100\.9, but this machine is 203\.0\.113\.7/]],
      fix: /Correct the A record/,
    },
    "a machine behind a router, which can't know": {
      apex: [other],
      wildcard: [other],
      context: { machineAddresses: ["10.0.0.2", "127.0.0.1", "::1", "fe80::1"] },
      expected: [ok],
    },
    "an AAAA record that the relay does not answer": {
      apex: [v4, v6],
      wildcard: [v4, v6],
      expected: [["failed", /AAAA record 2001:db8::7, but the relay listens on IPv4 only/]],
      fix: /bind-addr = "::"/,
    },
    "an address of this network only": {
      apex: ["192.168.1.5"],
      wildcard: ["192.168.1.5"],
      expected: [ok, ["warning", /192\.168\.1\.5, which only machines in that network can reach/]],
    },
  };
  for (const [what, { apex, wildcard, context, expected, fix }] of Object.entries(cases)) {
    it(what, async () => {
      const dns = await startFakeDns((name) => (name === domain ? apex : wildcard));
      try {
        const { checks, addresses } = await checkDns(domain, {
          resolver: hostPort().parse(dns.address),
          machineAddresses: [v4, "10.0.0.2"],
          listensOnIpv6: false,
          ...context,
        });
        assert.deepEqual(
          checks.map(({ status }) => status),
          expected.map(([status]) => status),
          JSON.stringify(checks),
        );
        for (const [index, [, text]] of expected.entries()) assert.match(checks[index]?.finding ?? "", text);
        for (const { status, fix: given } of checks) assert.equal(given === undefined, status === "ok");
        if (fix) assert.match(checks[0]?.fix ?? "", fix);
        assert.deepEqual([...addresses].sort(), [...(apex ?? [])].sort());
      } finally {
        await dns.close();
      }
    });
  }

  it("is not known when no server answers", async () => {
    const { checks } = await checkDns(domain, {
      resolver: { host: "127.0.0.1", port: 1 },
      machineAddresses: [],
      listensOnIpv6: false,
    });
    assert.deepEqual(
      checks.map(({ status }) => status),
      ["failed"],
    );
    assert.match(checks[0]?.finding ?? "", /No DNS server answers for t\.example\.com/);
    assert.match(checks[0]?.fix ?? "", /--resolver/);
  });
});
