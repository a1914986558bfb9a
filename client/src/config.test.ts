import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCertificate, generateKey } from "@porthole/common/identity";
import { readOptions } from "@porthole/common/options";
import type { RelaySpec } from "@porthole/tunnel/rpc";
import { tunnelSpec } from "./config.ts";
import { clientOptions } from "./options.ts";

const stateDir = "/state";

function specOf(argv: readonly string[], joined: readonly RelaySpec[] = []) {
  return tunnelSpec(readOptions(clientOptions, argv, {}).values, stateDir, joined);
}

describe("the client's configuration", () => {
  it("is complete with nothing but a server", () => {
    assert.deepEqual(specOf(["--server", "relay.example"]), {
      id: "main",
      relays: [{ address: "relay.example:4433" }],
      primary: {
        identity: { path: "/state/primary-key.pem" },
        local: "localhost:3000",
        certificatePath: "/state/primary-self-signed.pem",
      },
      transport: "auto",
      poolSize: 4,
      mode: "auto",
      headers: "auto",
      routes: [],
      localProxyProtocol: false,
      inspect: { redact: [] },
      acme: { enabled: true, staging: false },
    });
  });

  it("has a second endpoint with one flag, for the same service or another one", () => {
    for (const [argv, path, local] of [
      [["--secondary-local", "4000"], "/state/secondary-key.pem", "4000"],
      [["--secondary-key", "/other.pem"], "/other.pem", "localhost:3000"],
    ] as const) {
      const { primary, secondary } = specOf(["--server", "r", ...argv]);
      assert.equal(primary.local, "localhost:3000");
      assert.deepEqual([secondary?.identity, secondary?.local], [{ path }, local]);
    }
  });

  it("names the CAs of local services, or accepts any certificate", async () => {
    const key = generateKey();
    const { pem } = createCertificate({ key, dnsNames: ["x"], notBefore: new Date(), days: 1 });
    const folder = await mkdtemp(join(tmpdir(), "porthole-ca-"));
    const file = async (content: string): Promise<string> => {
      const name = join(folder, `${content.length}.pem`);
      await writeFile(name, content);
      return name;
    };
    try {
      const good = await file(`A comment\n${pem}${pem}`);
      assert.equal(specOf(["--server", "r", "--local-ca", good]).localCa, `${pem.trim()}\n${pem.trim()}`);
      assert.deepEqual(
        [specOf(["--server", "r", "--local-insecure"]).localInsecure, specOf(["--server", "r"]).localInsecure],
        [true, undefined],
      );
      const bad = ["", "no certificate", key.pem, pem.replace(/^M.*$/m, "AAAA"), pem.slice(0, 200)];
      for (const content of bad)
        assert.throws(() => specOf(["--server", "r", "--local-ca", `${folder}/${content.length}.pem`]), {
          code: "usage",
        });
      for (const content of bad) {
        const name = await file(content);
        assert.throws(() => specOf(["--server", "r", "--local-ca", name]), { code: "usage" }, content);
      }
      assert.throws(() => specOf(["--server", "r", "--local-ca", folder]), { code: "usage", message: /EISDIR/ });
      assert.throws(() => specOf(["--server", "r", "--local-ca", good, "--local-insecure"]), {
        code: "usage",
        message: /contradict/,
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  const { fingerprint } = generateKey();
  const { fingerprint: another } = generateKey();

  it("trusts by default, by pin, or anybody", () => {
    const servers = ["--server", "relay.example", "--server", "[::1]:1"];
    const cases: readonly [readonly string[], readonly object[]][] = [
      [[], [{}, {}]],
      [["--insecure"], [{ insecure: true }, { insecure: true }]],
      [
        ["--server-fingerprint", fingerprint],
        [{ fingerprint }, { fingerprint }],
      ],
      [
        ["--server-fingerprint", fingerprint, "--server-fingerprint", another],
        [{ fingerprint }, { fingerprint: another }],
      ],
    ];
    for (const [argv, [one, two]] of cases)
      assert.deepEqual(specOf([...servers, ...argv]).relays, [
        { address: "relay.example:4433", ...one },
        { address: "[::1]:1", ...two },
      ]);
  });

  it("uses relays that were joined when none is named", () => {
    const joined: RelaySpec[] = [{ address: "one.example:4433", fingerprint, label: "one" }, { address: "[::1]:5000" }];
    const addresses = (...argv: string[]) => specOf(argv, joined).relays?.map(({ address }) => address);
    assert.deepEqual(addresses(), ["one.example:4433", "[::1]:5000"]);
    assert.deepEqual(addresses("--server", "other.example"), ["other.example:4433"]);
    assert.deepEqual(
      specOf(["--insecure"], joined).relays?.map(({ insecure }) => insecure),
      [true, true],
    );
  });

  it("needs a relay", () => {
    assert.throws(() => specOf([]), { code: "usage", message: /--server/, hint: /porthole join/ });
  });

  it("has access rules only where a flag gives one", () => {
    assert.equal(specOf(["--server", "r"]).access, undefined);
    assert.deepEqual(specOf(["--server", "r", "--access-share", "--access-path", "/a/*"]).access, {
      share: true,
      paths: ["/a/*"],
    });
  });

  const wrong: readonly [string, readonly string[], RegExp][] = [
    ["--force-h2 with QUIC", ["--force-h2", "--transport", "quic"], /--force-h2 and --transport quic contradict/],
    ["two pins for three servers", ["--server", "a", "--server", "b", ...pins(2)], /2 times for 3 servers/],
    ["a pin, and no trust needed", ["--insecure", ...pins(1)], /--insecure and --server-fingerprint contradict/],
    ["a pin that is none", ["--server-fingerprint", "abc"], /"abc" is not a fingerprint/],
    ["bytes for a second endpoint that is not there", ["--secondary-cert-extension-hex", "00"], /needs a secondary/],
    ["paths of plain bytes", ["--mode", "tcp", "--route", "/api=4000"], /--route and --mode tcp contradict/],
    ["a rule for requests, and plain bytes", ["--mode", "tcp", "--access-share"], /--access-share needs HTTP/],
  ];
  for (const [what, argv, text] of wrong)
    it(`is wrong usage: ${what}`, () =>
      assert.throws(() => specOf(["--server", "r", ...argv]), { code: "usage", message: text }));

  function pins(count: number): string[] {
    return Array.from({ length: count }, () => ["--server-fingerprint", fingerprint]).flat();
  }
});
