import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { readdir, readFile, writeFile } from "node:fs/promises";
import type { Relay } from "@porthole/relay";
import {
  get,
  run,
  runCli,
  settled,
  siteAt,
  startCli,
  startHttp,
  startTcp,
  startTestRelay,
  until,
  useScope,
  type Running,
} from "@porthole/testing/end-to-end";

const suffix = "t.example.com";

describe("many tunnels in one client", function () {
  this.timeout(120_000);
  const scope = useScope();
  let relay: Relay;
  let stateDir: string;

  beforeEach(async () => {
    const relayDir = await scope.folder();
    const args = ["--state-dir", relayDir, "--domain-suffix", suffix];
    relay = await startTestRelay(scope, { args });
    stateDir = await scope.folder();
    const { code, stdout } = await runCli(scope, "relay", [
      "invite",
      "--address",
      `127.0.0.1:${relay.apiPort}`,
      "--state-dir",
      relayDir,
      "--json",
    ]);
    assert.equal(code, 0, stdout);
    const link = (JSON.parse(stdout) as { readonly porthole: string }).porthole;
    const joined = await runCli(scope, "client", ["join", link, "--state-dir", stateDir]);
    assert.equal(joined.code, 0, joined.stderr);
  });

  const porthole = (...argv: string[]) => runCli(scope, "client", [...argv, "--state-dir", stateDir]);
  const open = (...argv: string[]) =>
    startCli(scope, "client", [...argv, "--state-dir", stateDir, "--no-acme", "--transport", "h2"]);

  const site = async (text: string) => (await startHttp(scope, (_request, response) => response.end(text))).port;

  async function urlOf(client: Running, name = ""): Promise<string> {
    const line = await client.line(new RegExp(`^${name} *URL: `));
    await client.line(new RegExp(`^${name} *online `));
    return line.slice(line.indexOf("https:"));
  }

  /** Visits with the certificate that the client keeps for the name. */
  async function visit(url: string): Promise<string> {
    const { hostname } = new URL(url);
    const folder = join(stateDir, "self-signed");
    const kept = await readdir(folder).catch(() => []);
    const paths = [...kept.map((file) => join(folder, file)), join(stateDir, "primary-self-signed.pem")];
    for (const path of paths) {
      const pem = await readFile(path, "utf8").catch(() => "");
      if (pem !== "" && new X509Certificate(pem).checkHost(hostname) !== undefined) return get(siteAt(url, path));
    }
    throw new Error(`No certificate for ${hostname} in ${paths.join(", ")}`);
  }

  const listed = async (): Promise<readonly string[]> =>
    (JSON.parse((await porthole("ls", "--json")).stdout) as { name: string }[]).map(({ name }) => name);

  it("have a name each, and take one invite", async () => {
    const hook = await startTcp(scope, (socket) => socket.end("bytes"));
    const [web, api] = [await site("web"), await site("api")];
    const client = open(`web=${web}`, String(api), `hook=tcp://127.0.0.1:${hook.port}`);
    const urls = [await urlOf(client, "web"), await urlOf(client, "main")];
    const [, host = ""] = /Address: (\S+),/.exec(await client.line(/^hook *Address: /)) ?? [];
    assert.equal(new Set([...urls, `https://${host}`]).size, 3);
    assert.equal(await visit(urls[0] ?? ""), "web");
    assert.equal(await visit(urls[1] ?? ""), "api");
    await client.line(/^web +127\.0\.0\.1 +GET \/ +200/);
    await client.line(/^main +127\.0\.0\.1 +GET \/ +200/);
    const { stdout } = await porthole("ls");
    for (const [name, url] of [...["web", "main"].map((each, index) => [each, urls[index]]), ["hook", `\\S*${host}`]])
      assert.match(stdout, new RegExp(`^${name} +${url} .* online`, "m"));
    const logs = await porthole("logs", "web");
    assert.match(logs.stdout, /GET \/ {2}200/);
    assert.ok(!logs.stdout.includes(urls[1] ?? ""), logs.stdout);
    assert.equal((await porthole("stop", "web")).code, 0);
    assert.deepEqual(await listed(), ["main", "hook"]);
    assert.equal((await client.kill("SIGINT")).code, 0);
    // What has no name has the client's own, whatever port it is.
    const again = open(`web=${web}`);
    assert.equal(await urlOf(again), urls[0]);
    assert.equal((await porthole("stop")).code, 0);
    assert.equal((await again.exited).code, 0);
  });

  it("are joined by a second terminal, which ends its own", async () => {
    const [one, two] = [await site("one"), await site("two")];
    const first = open(String(one));
    await urlOf(first);
    const second = open(String(two));
    await second.line(/^Joined the client that runs/);
    const url = await urlOf(second);
    assert.equal(await visit(url), "two");
    await second.line(/GET \/ {2}200/);
    assert.deepEqual(await listed(), ["main", String(two)]);
    assert.ok(!first.lines.some((line) => line.includes("GET")), first.lines.join("\n"));
    assert.equal((await second.kill("SIGINT")).code, 0);
    assert.deepEqual(await listed(), ["main"]);
    const third = open(`third=${two}`);
    await urlOf(third);
    await third.kill("SIGKILL");
    await until(async () => (await listed()).length === 1, "the killed terminal's tunnel has ended");
    const fourth = open(`fourth=${two}`);
    await urlOf(fourth);
    assert.equal((await porthole("stop")).code, 0);
    assert.deepEqual([(await first.exited).code, (await fourth.exited).code], [0, 0]);
    await settled(relay);
  });

  it("continue in the other terminals when the first one ends, under the same names", async () => {
    const ports = [await site("one"), await site("two"), await site("three")];
    const first = open(`one=${ports[0]}`);
    await urlOf(first);
    const others = [open(`two=${ports[1]}`), open(`three=${ports[2]}`)];
    const urls = await Promise.all(others.map((other) => urlOf(other)));
    assert.equal((await first.kill("SIGINT")).code, 0);
    await until(async () => {
      const { code, stdout } = await porthole("ls", "--json");
      if (code !== 0) return false;
      const rows = JSON.parse(stdout) as { url?: string; state: string }[];
      return rows.length === 2 && rows.every(({ url, state }) => state === "online" && urls.includes(url ?? ""));
    }, "the others have gone on");
    assert.deepEqual(await Promise.all(urls.map((url) => visit(url))), ["two", "three"]);
    assert.equal((await porthole("stop")).code, 0);
    assert.deepEqual(await Promise.all(others.map(async (each) => (await each.exited).code)), [0, 0]);
  });

  it("refuse what can't be meant, and nothing is lost by it", async () => {
    const port = await site("web");
    const client = open(`web=${port}`, "4000");
    await urlOf(client, "web");
    for (const [argv, code, text] of [
      [[String(port)], 2, /is exposed already: https:[\s\S]*porthole NAME=/],
      [["web=5000"], 2, /A tunnel called web runs already[\s\S]*porthole stop web/],
      [["5000", "host:5000"], 2, /Two tunnels are called 5000/],
      [["Web=5000"], 2, /"Web" can't be the name of a tunnel[\s\S]*small letters/],
      [["5000", "6000", "--name", "app"], 2, /--name is for one tunnel/],
      [["stop", "nobody"], 2, /no tunnel "nobody"[\s\S]*web, main/],
      [["logs", "nobody"], 2, /no tunnel "nobody"[\s\S]*web, main/],
      [["inspect", "list", "--tunnel", "nobody"], 2, /no tunnel "nobody"/],
    ] as const) {
      const result = await porthole(...argv);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, text);
    }
    assert.deepEqual(await listed(), ["web", "main"]);
    const script = join(await scope.folder(), "completion");
    const listing = join(await scope.folder(), "listing");
    await writeFile(script, (await porthole("completion", "bash")).stdout);
    await writeFile(listing, (await porthole("ls", "--json")).stdout);
    for (const [typed, expected] of [
      ["logs ma", "main"],
      ["stop w", "web"],
      ["share --tunnel m", "main"],
      ["lo", "logs"],
    ]) {
      const source = `source <(cat "${script}"); porthole() { cat "${listing}"; }; COMP_WORDS=(porthole ${typed}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _porthole; echo "\${COMPREPLY[@]}"`;
      assert.equal((await run("bash", ["-c", source])).stdout.trim(), expected);
    }
    assert.equal((await porthole("inspect", "list", "--tunnel", "web")).code, 0);
    assert.equal((await client.kill("SIGINT")).code, 0);
  });
});
