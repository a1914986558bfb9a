import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKey } from "@porthole/common/identity";
import type { JoinedRelay } from "@porthole/common/invite";
import { silentLogger } from "@porthole/common/log";
import { readOptions } from "@porthole/common/options";
import { FakeClock } from "@porthole/testing";
import { prepareTunnel } from "@porthole/tunnel/tunnel";
import { Secret } from "@porthole/common/util";
import { tunnelSettings } from "./config.ts";
import { clientOptions } from "./options.ts";

describe("the client's configuration", () => {
  let stateDir: string;
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "porthole-config-"));
  });
  afterEach(() => rm(stateDir, { recursive: true }));

  const prepare = async (...argv: string[]) => {
    const { values } = readOptions(clientOptions, [...argv, "--state-dir", stateDir], {});
    return prepareTunnel(tunnelSettings(values), { clock: new FakeClock(), log: silentLogger });
  };

  it("is complete with nothing but a server", async () => {
    const prepared = await prepare("--server", "relay.example");
    assert.deepEqual(
      prepared.servers.map(({ text, host, port }) => [text, host, port]),
      [["relay.example:4433", "relay.example", 4433]],
    );
    const { transport, poolSize, suffix, endpoints } = prepared;
    assert.deepEqual([transport, poolSize, suffix], ["auto", 4, undefined]);
    assert.deepEqual(
      endpoints.map(({ role, local }) => [role, local.text]),
      [["primary", "127.0.0.1:3000"]],
    );
    assert.deepEqual(await readdir(stateDir), ["primary-key.pem"]);
  });

  it("keeps the key, and with it the name", async () => {
    const names = [];
    for (let i = 0; i < 2; i++) names.push((await prepare("--server", "r")).endpoints[0]?.key.clientId);
    assert.equal(names[0], names[1]);
  });

  it("has a second endpoint with one flag, for the same service or another one", async () => {
    const other = join(stateDir, "other.pem");
    for (const [argv, local] of [
      [["--secondary-local", "4000"], "4000"],
      [["--secondary-key", other], "127.0.0.1:3000"],
    ] as const) {
      const { endpoints } = await prepare("--server", "r", ...argv);
      assert.deepEqual(
        endpoints.map((each) => [each.role, each.local.text]),
        [
          ["primary", "127.0.0.1:3000"],
          ["secondary", local],
        ],
      );
    }
  });

  it("trusts by CA, on this machine at first use, by pin, or not at all", async () => {
    const { fingerprint } = generateKey();
    const { fingerprint: another } = generateKey();
    const servers = ["--server", "relay.example", "--server", "[::1]:1"];
    const cases: readonly [readonly string[], readonly object[]][] = [
      [[], [{ kind: "ca" }, { kind: "first-use" }]],
      [["--insecure"], [{ kind: "insecure" }, { kind: "insecure" }]],
      [
        ["--server-fingerprint", fingerprint],
        [
          { kind: "pin", fingerprint },
          { kind: "pin", fingerprint },
        ],
      ],
      [
        ["--server-fingerprint", fingerprint, "--server-fingerprint", another],
        [
          { kind: "pin", fingerprint },
          { kind: "pin", fingerprint: another },
        ],
      ],
    ];
    for (const [argv, expected] of cases) {
      const prepared = await prepare(...servers, ...argv);
      assert.deepEqual(
        prepared.servers.map((server) => prepared.trustFor(server)),
        expected,
      );
    }
    assert.deepEqual((await prepare(...servers)).servers[1]?.text, "[::1]:1");
  });

  const pinned = generateKey().fingerprint;
  const one: JoinedRelay = { host: "one.example", port: 4433, pin: pinned, token: new Secret("first") };
  const two: JoinedRelay = { host: "::1", port: 5000, token: new Secret("second") };
  const servers = (joined: readonly JoinedRelay[], ...argv: string[]) =>
    tunnelSettings(readOptions(clientOptions, argv, {}).values, joined).servers.map(({ text, trust, token }) => [
      text,
      trust?.kind,
      token?.reveal(),
    ]);

  it("uses relays that were joined when none is named, and knows them again when they are", () => {
    const used = [
      ["one.example:4433", "pin", "first"],
      ["[::1]:5000", undefined, "second"],
    ];
    assert.deepEqual(servers([one, two]), used);
    assert.deepEqual(servers([one, two], "--server", "one.example"), used.slice(0, 1));
    assert.deepEqual(servers([one, two], "--server", "other.example"), [["other.example:4433", undefined, undefined]]);
    assert.deepEqual(
      servers([one, two], "--insecure").map(([, trust]) => trust),
      ["insecure", "insecure"],
    );
  });

  it("needs a relay", () => {
    assert.throws(() => servers([]), { code: "usage", message: /--server/, hint: /porthole join/ });
  });

  const pin = generateKey().fingerprint;
  const wrong: readonly [string, readonly string[], RegExp][] = [
    ["--force-h2 with QUIC", ["--force-h2", "--transport", "quic"], /--force-h2 and --transport quic contradict/],
    ["two pins for three servers", ["--server", "a", "--server", "b", ...pins(2)], /2 times for 3 servers/],
    ["a pin, and no trust needed", ["--insecure", ...pins(1)], /--insecure and --server-fingerprint contradict/],
    ["a pin that is none", ["--server-fingerprint", "abc"], /"abc" is not a fingerprint/],
    ["bytes for a second endpoint that is not there", ["--secondary-cert-extension-hex", "00"], /needs a secondary/],
  ];
  for (const [what, argv, text] of wrong) {
    it(`is wrong usage: ${what}`, async () => {
      await assert.rejects(prepare("--server", "r", ...argv), { code: "usage", exitCode: 2, message: text });
    });
  }

  it("is wrong usage: one key for both endpoints", async () => {
    const path = join(stateDir, "one.pem");
    await writeFile(path, generateKey().pem);
    await assert.rejects(prepare("--server", "r", "--primary-key", path, "--secondary-key", path), {
      code: "usage",
      message: "The primary and the secondary endpoint have the same key",
    });
  });

  function pins(count: number): string[] {
    return Array.from({ length: count }, () => ["--server-fingerprint", pin]).flat();
  }
});
