import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import { chromium } from "playwright-core";
import { needProgram, runCli, startCli, startHttp, until, useScope } from "@porthole/testing/end-to-end";

const token = "correct-horse-battery";
const axePath = createRequire(import.meta.url).resolve("axe-core");

describe("The admin page", function () {
  this.timeout(120_000);
  const scope = useScope();

  /** A relay as a program, and a client that joined by an invite with a label that wants to be a script. */
  async function start() {
    const stateDir = await scope.folder();
    const tokenFile = join(stateDir, "admin-token");
    await writeFile(tokenFile, `${token}\n`, { mode: 0o600 });
    const keys = join(stateDir, "keys.txt");
    await writeFile(keys, "# nobody\n");
    const relay = startCli(scope, "relay", [
      ...["--bind-addr", "127.0.0.1", "--api-port", "0", "--pub-port", "0", "--admin-port", "0", "--json"],
      ...["--domain-suffix", "localhost", "--authorized-keys", keys, "--admin-token-file", tokenFile],
      ...["--state-dir", stateDir],
    ]);
    const { admin, api } = JSON.parse(await relay.line(/Relay is ready/)) as { admin: number; api: number };
    const label = "Ada <script>";
    const { stdout } = await runCli(scope, "relay", [
      ...["invite", "--label", label, "--json", "--address", `127.0.0.1:${api}`, "--state-dir", stateDir],
    ]);
    const clientDir = await scope.folder();
    const { porthole } = JSON.parse(stdout) as { porthole: string };
    await runCli(scope, "client", ["join", porthole, "--state-dir", clientDir]);
    const service = await startHttp(scope, (_request, response) => response.end("hello"));
    const client = startCli(scope, "client", [String(service.port), "--force-h2", "--state-dir", clientDir]);
    const id = (await client.line(/^ID: /)).slice(4);
    await client.line(/^online /);
    const page = `http://127.0.0.1:${admin}`;
    return { relay, client, id, label, page, stateDir };
  }

  it("shows clients, and with the token operates the relay, in Chromium", async function () {
    needProgram(this, "chromium");
    const { relay, client, id, label, page: address, stateDir } = await start();
    const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    scope.defer(() => browser.close());
    const context = await browser.newContext({ httpCredentials: { username: "any", password: token } });
    const page = await context.newPage();
    await page.goto(address);
    await page.getByRole("cell", { name: label }).waitFor();
    assert.match(await page.content(), new RegExp(`${id}\\.localhost`));
    assert.ok(!(await page.locator("main").innerText()).includes("127.0.0.1"), "addresses are the operator's");
    const barriers = async (): Promise<readonly string[]> => {
      await page.evaluate(await readFile(axePath, "utf8"));
      const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
      return violations.map((each) => each.id);
    };
    assert.deepEqual(await barriers(), []);

    await page.getByRole("link", { name: "Operate" }).click();
    await page.getByText("127.0.0.1").first().waitFor();
    assert.deepEqual(await barriers(), []);
    await page.getByLabel("Label").fill("Grace");
    await page.getByRole("button", { name: "Make an Invite" }).click();
    assert.match(await page.getByRole("status").innerText(), /^One client can join within a day: porthole:\/\/join/);
    const { stdout } = await runCli(scope, "relay", ["invite", "list", "--state-dir", stateDir]);
    assert.match(stdout, /Grace/);

    await page.getByRole("button", { name: `Disconnect ${id}` }).click();
    await page.getByText(`Links of ${id} ended`).waitFor();
    const ban = page.getByRole("button", { name: `Ban ${id}` });
    await until(async () => {
      await page.goto(`${address}/operate`);
      return (await ban.count()) > 0;
    }, "the client is back");
    await ban.click();
    await page.getByText(`${id} is banned.`).waitFor();
    await until(() => client.child.exitCode === 3, "the client was told");
    await relay.kill("SIGTERM");
  });

  it("changes nothing for anybody without the token, or for another site's form", async () => {
    const { relay, client, id, page } = await start();
    const basic = (password: string): string => `Basic ${Buffer.from(`any:${password}`).toString("base64")}`;
    const post = async (form: string, headers: Record<string, string>): Promise<[number, string]> => {
      const response = await fetch(`${page}/operate`, {
        method: "POST",
        body: form,
        headers: { "content-type": "application/x-www-form-urlencoded", connection: "close", ...headers },
      });
      return [response.status, await response.text()];
    };
    const disconnect = `action=disconnect&what=${id}`;
    const good = { authorization: basic(token) };
    for (const [what, form, headers, status, text] of [
      ["no token", disconnect, {}, 401, /token is missing/],
      ["a wrong token", disconnect, { authorization: basic("wrong") }, 401, /token is missing/],
      ["the form of another site", disconnect, { ...good, origin: "https://evil.example" }, 403, /not from this page/],
      ["the form of another port", disconnect, { ...good, origin: "http://127.0.0.1:1" }, 403, /not from this page/],
      ["a cross-site request", disconnect, { ...good, "sec-fetch-site": "cross-site" }, 403, /not from this page/],
      ["nothing to do", "", good, 200, /There are disconnect, ban and invite/],
      ["nobody", "action=ban&what=", good, 200, /Say whom to ban/],
      ["no client id", "action=disconnect&what=<b>", good, 200, /&#60;b&#62;|client id/],
      ["a wrong time", "action=ban&what=myapp&for=soon", good, 200, /expected/],
      ["too much", `action=ban&what=${"x".repeat(5_000)}`, good, 200, /too long/],
    ] as const) {
      const [got, body] = await post(form, headers);
      assert.equal(got, status, `${what}: ${body}`);
      assert.match(body, text, what);
      assert.ok(!body.includes("<b>"), what);
    }
    assert.equal((await fetch(`${page}/operate`, { headers: { connection: "close" } })).status, 401);
    assert.equal(client.child.exitCode, null);
    assert.match((await post(disconnect, good))[1], /Links of .* ended/);
    await client.kill("SIGINT");
    await relay.kill("SIGTERM");
  });
});
