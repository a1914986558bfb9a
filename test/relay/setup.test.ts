import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "smol-toml";
import { startFakeDns } from "@porthole/testing";
import {
  freePort,
  needProgram,
  run,
  runCli,
  startCli,
  startTcp,
  useScope,
  type Output,
  programFile,
} from "@porthole/testing/end-to-end";

interface Check {
  readonly id: string;
  readonly status: string;
  readonly finding: string;
  readonly fix?: string;
}

const domain = "t.example.com";

describe("Setting a relay up", function () {
  this.timeout(180_000);
  const scope = useScope();
  let stateDir: string;
  let resolver: string;
  let records: Readonly<Record<string, readonly string[]>>;
  let ports: string[];

  beforeEach(async () => {
    stateDir = await scope.folder();
    records = { [domain]: ["127.0.0.1"], "*": ["127.0.0.1"] };
    const dns = await startFakeDns((name) => records[name] ?? (name.endsWith(`.${domain}`) ? records["*"] : undefined));
    scope.defer(() => dns.close());
    resolver = dns.address;
    const flags = ["--api-port", "--pub-port", "--alpn-port", "--http-port"];
    ports = (await Promise.all(flags.map(async (flag) => [flag, String(await freePort())]))).flat();
  });

  const setup = (...argv: string[]): Promise<Output> =>
    runCli(scope, "relay", ["setup", "--state-dir", stateDir, "--resolver", resolver, "--no-acme", ...ports, ...argv]);

  async function doctor(
    ...argv: string[]
  ): Promise<{ readonly code: number | null; readonly checks: readonly Check[] }> {
    const all = ["doctor", "--state-dir", stateDir, "--resolver", resolver, "--json", ...argv];
    const { code, stdout, stderr } = await runCli(scope, "relay", all);
    assert.equal(stderr, "");
    return { code, checks: (JSON.parse(stdout) as { checks: Check[] }).checks };
  }

  it("sets a relay up beside a web server, in front of it and behind a proxy", async () => {
    const [front, behind, quic] = await Promise.all([freePort(), freePort(), freePort()]);
    const own = ["setup", "--state-dir", stateDir, "--resolver", resolver, "--no-acme", "--domain", domain, "--force"];
    const settings = async (...argv: string[]): Promise<object> => {
      const { code, stderr } = await runCli(scope, "relay", [...own, "--api-port", String(quic), ...argv]);
      assert.deepEqual([code, stderr], [0, ""]);
      const { "bind-addr": _address, ...rest } = parse(await readFile(join(stateDir, "relay.toml"), "utf8"));
      return rest;
    };
    const same = { "domain-suffix": domain };
    assert.deepEqual(
      await settings(
        ...["--pub-port", String(front), "--alpn-port", String(front)],
        ...["--fallback", "127.0.0.1:8444", "--fallback-proxy-protocol"],
      ),
      {
        ...{ ...same, "api-port": quic, "pub-port": front, "alpn-port": front },
        ...{ fallback: "127.0.0.1:8444", "fallback-proxy-protocol": true },
      },
    );
    const local = `127.0.0.1:${behind}`;
    assert.deepEqual(
      await settings(
        ...["--pub-port", local, "--alpn-port", local, "--public-port", "443", "--quic-port", String(quic)],
        ...["--proxy-protocol-from", "127.0.0.1", "--proxy-protocol-from", "10.0.0.0/8"],
      ),
      {
        ...{ ...same, "api-port": quic, "pub-port": local, "alpn-port": local, "public-port": 443, "quic-port": quic },
        "proxy-protocol-from": ["127.0.0.1/32", "10.0.0.0/8"],
      },
    );
    // The relay reads what was written.
    assert.equal(
      (await doctor()).checks.some(({ id }) => id === "ports"),
      true,
    );
  });

  it("names the page that opens the invite, where browsers will trust the certificate", async () => {
    const without = await setup("--domain", domain);
    assert.doesNotMatch(without.stdout, /https:\/\/[^ ]*\/join#/);
    const args = ["setup", "--state-dir", stateDir, "--resolver", resolver, ...ports, "--force", "--domain", domain];
    const { stdout, stderr } = await runCli(scope, "relay", [...args, "--acme-email", "ada@example.com"]);
    const [page = ""] = /https:\/\/\S+\/join#\S+/.exec(stdout) ?? [];
    assert.match(page, /^https:\/\/t\.example\.com:\d+\/join#relay=t\.example\.com:\d+&pin=/, stderr);
    assert.ok(page.startsWith(`https://t.example.com:${ports[ports.indexOf("--pub-port") + 1]}/`));
    const json = await runCli(scope, "relay", ["invite", "--state-dir", stateDir, "--json"]);
    assert.match((JSON.parse(json.stdout) as { readonly page: string }).page, /\/join#relay=/);
  });

  it("by one command: checks, a configuration that works, an invite that lets a client in", async () => {
    const { code, stdout, stderr } = await setup("--domain", "*.T.example.com");
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^ok +dns: t\.example\.com and \*\.t\.example\.com lead to 127\.0\.0\.1$/m);
    assert.match(stdout, /^ok +udp: UDP port \d+ \(clients over QUIC\) can be reached by 127\.0\.0\.1$/m);
    assert.match(stdout, /^Nothing speaks against a relay here\.$/m);
    const [, pin] = /porthole:\/\/join\?relay=t\.example\.com:\d+&pin=([a-z2-7]{52})&token=/.exec(stdout) ?? [];
    assert.match(await readFile(join(stateDir, "relay.toml"), "utf8"), /^domain-suffix = "t\.example\.com"$/m);

    const relay = startCli(scope, "relay", ["--state-dir", stateDir, "--json"]);
    const ready = JSON.parse(await relay.line(/Relay is ready/)) as {
      readonly fingerprint: string;
      readonly api: number;
    };
    assert.equal(ready.fingerprint, pin);
    const running = await doctor();
    assert.equal(running.code, 0, JSON.stringify(running.checks));
    assert.ok(running.checks.some(({ id, finding }) => id === "certificate" && finding.includes(String(pin))));

    // The name of the invite leads nowhere in this test.
    const link = stdout.match(/porthole:\/\/join\S+(?=')/)?.[0].replace(domain, "127.0.0.1") ?? "";
    const clientDir = await scope.folder();
    const joined = await runCli(scope, "client", ["join", link, "--state-dir", clientDir]);
    assert.equal(joined.code, 0, joined.stderr);
    const client = startCli(scope, "client", ["3000", "--state-dir", clientDir]);
    await client.line(/^URL: https:\/\/[a-z2-7]{26}\.t\.example\.com/);
    await client.line(/^online/);
    assert.equal((await client.kill("SIGTERM")).code, 0);
    assert.equal((await relay.kill("SIGTERM")).code, 0);

    const again = await setup("--domain", domain);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /There is a configuration already[\s\S]*--force/);
  });

  it("replaces a configuration that is damaged, and names the state folder in what is to be typed", async () => {
    await writeFile(join(stateDir, "relay.toml"), "pub-port =");
    const { code, stdout } = await setup("--domain", domain, "--force");
    assert.equal(code, 0, stdout);
    const [, words = "", folder] = stdout.match(/porthole-relay (invite revoke \S+) --state-dir (\S+)$/m) ?? [];
    assert.equal(folder, stateDir);
    const revoked = await runCli(scope, "relay", [...words.split(" "), "--state-dir", stateDir]);
    assert.equal(revoked.code, 0, revoked.stderr);
  });

  it("asks on a terminal for what no flag says", async function () {
    needProgram(this, "script");
    const argv = ["setup", "--state-dir", stateDir, "--resolver", resolver, ...ports];
    const command = [process.execPath, "--conditions=source", programFile("relay"), ...argv].join(" ");
    const typed = `printf '%s\\n' ${domain} me@example.com | script -qec '${command}' /dev/null`;
    const { code, stdout } = await run("sh", ["-c", typed]);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /Domain for the tunnels[\s\S]*E-mail address/);
    const written = await readFile(join(stateDir, "relay.toml"), "utf8");
    assert.match(written, /^acme-domain = "t\.example\.com"\nacme-email = "me@example\.com"$/m);
  });

  it("says what is missing, and sets it up all the same", async () => {
    records = { [domain]: ["127.0.0.1"] };
    const other = await startTcp(scope, () => {});
    ports[3] = String(other.port);
    const { code, stdout } = await setup("--domain", domain, "--bind-addr", "127.0.0.1");
    assert.equal(code, 0);
    assert.match(stdout, /^FAILED +dns: \*\.t\.example\.com has no address in the DNS\n +Add to the domain's zone/m);
    assert.match(stdout, /^FAILED +ports: .*is taken by another program( \(.+\))?\n +Stop it/m);
    assert.match(stdout, /^2 things are wrong or missing/m);
    assert.ok(existsSync(join(stateDir, "relay.toml")));
    const { code: status, checks } = await doctor();
    assert.equal(status, 1);
    assert.deepEqual(
      checks.filter(({ status }) => status === "failed").map(({ id, fix }) => [id, fix !== undefined]),
      [
        ["dns", true],
        ["ports", true],
      ],
    );
  });

  for (const [what, argv, text] of [
    ["nobody who could be asked", [], /--domain is required/],
    ["a name that is none", ["--domain", "under_score.example"], /is not a domain/],
    ["this machine's name", ["--domain", "x.localhost"], /is not a domain that visitors could use/],
  ] as const) {
    it(`not with ${what}`, async () => {
      const { code, stderr } = await setup(...argv);
      assert.equal(code, 2);
      assert.match(stderr, text);
      assert.ok(!existsSync(join(stateDir, "relay.toml")));
    });
  }

  it("the doctor sees keys that others can read, and says how to change that", async () => {
    await setup("--domain", domain);
    const key = join(stateDir, "relay-key.pem");
    await chmod(key, 0o644);
    const { code, checks } = await doctor();
    assert.equal(code, 1);
    assert.deepEqual(
      checks.filter(({ status }) => status === "failed").map(({ fix }) => fix),
      [`chmod 600 ${key}`],
    );
    const text = await runCli(scope, "relay", ["doctor", "--state-dir", stateDir, "--resolver", resolver]);
    assert.match(text.stdout, /^FAILED +files: .*relay-key\.pem has mode 644/m);
  });
});
