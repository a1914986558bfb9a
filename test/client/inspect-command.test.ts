import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  readText,
  request,
  runCli,
  soon,
  startCli,
  startHttp,
  startTestRelay,
  useScope,
} from "@porthole/testing/end-to-end";

const secret = "hush-hush-4711";

describe("porthole inspect", function () {
  this.timeout(120_000);
  const scope = useScope();

  /** A client as a user runs it, and three requests that hold secrets and worse. */
  async function visited() {
    const relay = await startTestRelay(scope);
    const service = await startHttp(scope, (incoming, response) => {
      incoming.resume().on("end", () => {
        response.setHeader("Set-Cookie", `sid=${secret}; Path=/`);
        response.setHeader("Content-Type", "application/json");
        response.end(`{"access_token":"${secret}","note":"\u001b[2J\u009b31m\u202e \\u001b"}`);
      });
    });
    const stateDir = await scope.folder();
    const client = startCli(scope, "client", [
      String(service.port),
      "--server",
      `127.0.0.1:${relay.apiPort}`,
      "--state-dir",
      stateDir,
    ]);
    const url = new URL((await client.line(/^URL: /)).slice(5));
    await client.line(/^online /);
    const site = {
      ...{ hostname: url.hostname, port: Number(url.port), origin: url.origin },
      ...{
        caPath: join(stateDir, "primary-self-signed.pem"),
        ca: await readFile(join(stateDir, "primary-self-signed.pem"), "utf8"),
      },
    };
    const ask = async (path: string, method: string, body?: string): Promise<void> => {
      const headers = {
        authorization: `Bearer ${secret}`,
        cookie: `sid=${secret}`,
        "x-evil": "a\u009b31mb",
        ...(body === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" }),
      };
      await readText((await request(site, path, { method, headers, ...(body === undefined ? {} : { body }) })).body);
    };
    await ask(`/get?token=${secret}`, "GET");
    await ask("/form", "POST", `user=ada&password=${secret}&note=%1b[2J\u001b[31m`);
    return { client, stateDir, state: ["--state-dir", stateDir], ask, service };
  }

  it("lists, shows, replays and exports without a secret and without a control character", async () => {
    const { client, state, stateDir } = await visited();
    const inspect = async (...args: string[]) => {
      const { code, stdout, stderr } = await runCli(scope, "client", ["inspect", ...args, ...state]);
      assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
      return stdout;
    };
    const outputs = [
      await inspect("list"),
      await inspect("list", "--json"),
      await inspect("show", "1"),
      await inspect("show", "2"),
      await inspect("show", "2", "--json"),
      await inspect("export", "1"),
      await inspect("export", "2", "--as", "fetch"),
      await inspect("export", "2", "--as", "curl", "--to-service"),
      await inspect("export", "--as", "har", "method:POST"),
      await inspect("replay", "2"),
      await inspect("replay", "2", "--target", "/changed", "--header", "X-New: 1", "--json"),
    ];
    for (const [index, output] of outputs.entries()) {
      assert.ok(!output.includes(secret), `${index}: ${output}`);
      assert.ok(output.length > 50, `${index}: ${output}`);
      assert.doesNotMatch(output, /[^\P{Cc}\n]|\p{Cf}/u, String(index));
    }
    assert.match(outputs[0] ?? "", /2 .*POST +200 .*\/form/);
    assert.match(outputs[3] ?? "", /password: <redacted>/);
    assert.match(outputs[2] ?? "", /\\x1b\[2J\\x9b31m\\u\{202e\}/);
    assert.match(outputs[10] ?? "", /"replayOf":"2","edited":true/);
    assert.match(await inspect("show", "1", "--unredacted"), new RegExp(`Bearer ${secret}`));
    assert.ok((await inspect("export", "2", "--as", "curl", "--unredacted")).includes(secret));

    const har = join(stateDir, "out.har");
    await inspect("export", "--as", "har", "--out", har);
    assert.ok(!(await readFile(har, "utf8")).includes(secret));
    for (const [argv, text] of [
      [["export", "--as", "har", "--out", har], /out\.har exists\n +Name another file/],
      [["replay", "2", "--body-file", join(stateDir, "none")], /Can't read \S+none: it does not exist/],
    ] as const) {
      const { code, stderr } = await runCli(scope, "client", ["inspect", ...argv, ...state]);
      assert.equal(code, 1, stderr);
      assert.match(stderr, text);
    }
    assert.equal((await runCli(scope, "client", ["inspect", "show", "99", ...state])).code, 2);
    assert.equal((await runCli(scope, "client", ["inspect", "replay", ...state])).code, 2);
    await inspect("pause");
    await inspect("clear");
    assert.equal(await inspect("list"), "No requests.");
    await client.kill("SIGINT");
  });

  it("follows, a line or an object for each request", async () => {
    const { client, state, ask } = await visited();
    const plain = startCli(scope, "client", ["inspect", "method:GET", ...state]);
    const json = startCli(scope, "client", ["inspect", "--json", ...state]);
    await plain.line(/GET +200 .*\/get\?token=<redacted>/);
    await json.line(/"target":"\/form"/);
    await ask("/later", "GET");
    await plain.line(/\/later/);
    await json.line(/"target":"\/later".*"state":"done"|"state":"done".*"target":"\/later"/);
    assert.ok(!plain.lines.some((line) => line.includes("/form")));
    assert.ok(![...plain.lines, ...json.lines].some((line) => line.includes(secret)));
    assert.equal((await plain.kill("SIGINT")).code, 0);
    await client.kill("SIGINT");
    assert.equal((await soon(json.exited, "the end of the follower")).code, 0);
  });

  it("sends a request again as an editor leaves it", async () => {
    const { client, state, stateDir } = await visited();
    const edit = async (script: string) => {
      const editor = join(stateDir, "editor.sh");
      await writeFile(editor, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
      return runCli(scope, "client", ["inspect", "replay", "2", "--edit", ...state], {
        env: { EDITOR: `sh ${editor}`, VISUAL: "" },
      });
    };
    const changed = await edit('sed -i -e "s#/form#/edited#" "$1"');
    assert.equal(changed.code, 0, changed.stderr);
    assert.match(changed.stdout, /POST .*\/edited/);
    assert.match(changed.stdout, /an edited replay of 2/);
    assert.ok(!changed.stdout.includes(secret));
    assert.equal((await edit(': > "$1"')).stdout, "Nothing was sent.");
    const wrong = await edit('echo nonsense > "$1"');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /The first line is a method and a path/);
    await client.kill("SIGINT");
  });
});
