import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { OptionTable } from "@porthole/common/options";
import { version } from "@porthole/common/version";
import { relayOptions } from "@porthole/relay";
import { clientOptions } from "porthole";
import {
  connectVisitor,
  get,
  runCli,
  siteAt,
  startCli,
  startHttp,
  startTestRelay,
  useScope,
} from "@porthole/testing/end-to-end";
import type { Requests } from "@porthole/tunnel/rpc";

describe("command line", function () {
  this.timeout(120_000);
  const scope = useScope();

  for (const program of ["client", "relay"] as const) {
    it(`${program} --help fits a screen and begins with an example; --help all has every option`, async () => {
      const { code, stdout } = await runCli(scope, program, ["--help"]);
      assert.equal(code, 0);
      const lines = stdout.split("\n");
      assert.match(lines[0] ?? "", program === "client" ? /^ {2}porthole 3000/ : /^ {2}porthole-relay/);
      assert.ok(lines.length >= 24 && lines.length <= 60, `${lines.length} lines`);
      const table: OptionTable = program === "client" ? clientOptions : relayOptions;
      const all = (await runCli(scope, program, ["--help", "all"])).stdout;
      for (const [name, { advanced = false }] of Object.entries(table)) {
        const flag = new RegExp(`^  --(\\[no-\\])?${name}(-file)?( |$)`, "m");
        assert.match(all, flag);
        assert.equal(flag.test(stdout), !advanced, name);
      }
    });

    it(`${program} --version`, async () => {
      assert.equal((await runCli(scope, program, ["--version"])).stdout, version);
    });

    it(`${program} does not know a flag, and says which was meant`, async () => {
      const { code, stderr } = await runCli(scope, program, ["--state-dri", "x"]);
      assert.equal(code, 2);
      assert.match(stderr, /--state-dri[\s\S]*--state-dir/);
    });
  }

  for (const [program, command, own] of [
    ["client", "join", "--state-dir"],
    ["client", "relays", "remove HOST"],
    ["client", "status", "--json"],
    ["client", "share", "--for TIME"],
    ["relay", "doctor", "--quic-memory"],
  ] as const) {
    it(`${program} ${command} --help all is about that command`, async () => {
      const { code, stdout } = await runCli(scope, program, [command, "--help", "all"]);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^  porthole(-relay)? ${command}`));
      assert.ok(stdout.includes(own), stdout);
    });
  }

  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["no server", [], /--server/],
    [
      "bad hex",
      ["--server", "localhost", "--primary-cert-extension-hex", "xyz"],
      /--primary-cert-extension-hex: Character 1/,
    ],
    ["a bad port", ["--server", "localhost:99999"], /--server.*99999/],
    ["a bad service", ["99999", "--server", "localhost"], /99999[\s\S]*Write a port/],
    ["a misspelt command", ["statsu"], /no command "statsu"[\s\S]*status/],
    ["a secret's file that is missing", ["--access-basic-file", "/nowhere"], /Can't read \/nowhere: it does not exist/],
    [
      "contradictions",
      ["--server", "localhost", "--force-h2", "--transport", "quic"],
      /--force-h2 and --transport quic contradict/,
    ],
  ];
  for (const [name, argv, text] of wrong) {
    it(`wrong usage: ${name}`, async () => {
      const { code, stderr } = await runCli(scope, "client", [...argv, "--state-dir", await scope.folder()]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, text);
    });
  }

  it("prints ID and URL as lines, serves, and ends with 0 at Ctrl-C", async () => {
    const relay = await startTestRelay(scope);
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const stateDir = await scope.folder();
    const argv = [String(service.port), "--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", stateDir];
    const client = startCli(scope, "client", argv);
    const id = (await client.line(/^ID: /)).slice(4);
    const url = (await client.line(/^URL: /)).slice(5);
    assert.equal(url, `https://${id}.localhost:${relay.publicPort}`);
    await client.line(/^online/);
    const site = siteAt(url, join(stateDir, "primary-self-signed.pem"));
    assert.equal(await get(site), "hello");
    await client.line(/^127\.0\.0\.1 /);
    const stuck = await connectVisitor(scope, site);
    stuck.on("error", () => {});
    assert.deepEqual(await client.kill("SIGINT"), { code: 0, signal: null });
  });

  it("prints one JSON object a line with --json", async () => {
    const relay = await startTestRelay(scope);
    const argv = ["--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", await scope.folder(), "--json"];
    const client = startCli(scope, "client", argv);
    await client.line(/"status":"online"/);
    for (const line of client.lines)
      assert.ok(["state", "visit", "log"].includes((JSON.parse(line) as { event: string }).event));
    assert.equal((await client.kill("SIGTERM")).code, 0);
  });

  it("ends with 3 when the relay refuses, and says why and what to do", async () => {
    const folder = await scope.folder();
    const keys = join(folder, "keys.txt");
    await writeFile(keys, "# nobody\n");
    const relay = await startTestRelay(scope, { args: ["--authorized-keys", keys] });
    const argv = ["--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", folder];
    const { code, stderr } = await runCli(scope, "client", argv);
    assert.equal(code, 3, stderr);
    assert.match(stderr, /does not know the client id [a-z2-7]{26}[\s\S]*Ask the relay's operator/);
  });

  it("tells of the running client, does not expose a port twice, and stops it", async () => {
    const relay = await startTestRelay(scope);
    const stateDir = ["--state-dir", await scope.folder()];
    const argv = ["--server", `127.0.0.1:${relay.apiPort}`, ...stateDir];
    assert.equal((await runCli(scope, "client", ["status", ...stateDir])).code, 1);
    const client = startCli(scope, "client", argv);
    const url = (await client.line(/^URL: /)).slice(5);
    await client.line(/^online/);
    const status = await runCli(scope, "client", ["status", ...stateDir]);
    assert.ok(status.stdout.includes(url), status.stdout);
    const json = await runCli(scope, "client", ["status", "--json", ...stateDir]);
    const { tunnels } = JSON.parse(json.stdout) as Requests["tunnel/list"][1];
    assert.deepEqual(tunnels[0]?.state.endpoints[0]?.urls, [url]);
    const second = await runCli(scope, "client", argv);
    assert.equal(second.code, 2);
    assert.match(second.stderr, /localhost:3000 is exposed already: https:/);
    assert.equal((await runCli(scope, "client", ["stop", ...stateDir])).code, 0);
    assert.equal((await client.exited).code, 0);
  });
});
