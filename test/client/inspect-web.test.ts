import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";
import {
  needProgram,
  readText,
  request,
  runCli,
  soon,
  startCli,
  startHttp,
  startTestRelay,
  until,
  useScope,
} from "@porthole/testing/end-to-end";
import { readFile } from "node:fs/promises";

const secret = "hush-hush-4711";
const axePath = createRequire(import.meta.url).resolve("axe-core");

describe("porthole inspect --web", function () {
  this.timeout(120_000);
  const scope = useScope();

  /** A client with two tunnels, and the page's server. */
  async function start() {
    const relay = await startTestRelay(scope);
    const bodies: string[] = [];
    const service = await startHttp(scope, (incoming, response) => {
      void readText(incoming).then((body) => {
        bodies.push(`${incoming.method} ${incoming.url} ${body}`);
        response.setHeader("Content-Type", "text/html");
        response.end(`<script>document.title = "${secret}"</script>`);
      });
    });
    const stateDir = await scope.folder();
    const client = startCli(scope, "client", [
      ...[String(service.port), `api=${service.port}`],
      ...["--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", stateDir],
    ]);
    const url = new URL((await client.line(/^main +URL: /)).replace(/^.*URL: /, ""));
    await client.line(/^main +online /);
    const caPath = join(stateDir, "primary-self-signed.pem");
    const visit = async (path: string, body?: string): Promise<void> => {
      const site = {
        hostname: url.hostname,
        port: Number(url.port),
        origin: url.origin,
        caPath,
        ca: await readFile(caPath, "utf8"),
      };
      const init = {
        headers: { authorization: `Bearer ${secret}` },
        ...(body === undefined ? {} : { method: "POST", body }),
      };
      await readText((await request(site, path, init)).body);
    };
    const inspect = startCli(scope, "client", ["inspect", "--web", "--state-dir", stateDir]);
    const page = new URL(await inspect.line(/^http:\/\/127\.0\.0\.1:\d+\/#/));
    return { client, inspect, page, visit, bodies };
  }

  it("lists, shows, replays, edits and saves in Chromium, without a barrier", async function () {
    needProgram(this, "chromium");
    const { client, inspect, page: address, visit, bodies } = await start();
    const browser: Browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    scope.defer(() => browser.close());
    await visit("/hook?id=1", '{"paid":true}');
    const page = await browser.newPage({ viewport: { width: 1_200, height: 800 } });
    const wrong: string[] = [];
    page.on("pageerror", (error) => wrong.push(String(error)));
    page.on("console", (message) => void (message.type() === "error" && wrong.push(message.text())));
    await page.goto(address.href);
    await page.getByText("/hook?id=1").first().click();
    assert.equal(new URL(page.url()).hash, "", "the key leaves the address");
    await page.getByRole("heading", { name: "POST /hook?id=1" }).waitFor();
    assert.ok(!(await page.content()).includes(secret));
    await page.getByRole("tab", { name: /Response/ }).click();
    await page.getByText("document.title").waitFor();
    assert.equal(await page.title(), "Porthole requests", "what visitors and services wrote does not run");

    await visit("/later");
    await page.getByText("/later").first().waitFor();
    await page.getByRole("button", { name: "Replay" }).click();
    await until(() => bodies.filter((each) => each === 'POST /hook?id=1 {"paid":true}').length === 2, "the replay");
    // The replay is the request that is shown, until it has ended drawn again and again.
    await page.getByText("Sent again").waitFor();
    const dialog = page.getByRole("dialog");
    await until(async () => {
      if (await dialog.isVisible()) return true;
      // The dialog of the click before may open just now.
      const edit = page.getByRole("button", { name: "Edit and Send" });
      await edit.click({ timeout: 2_000 }).catch(() => {});
      return dialog.isVisible();
    }, "the text of the request");
    const text = await dialog.getByRole("textbox").inputValue();
    await dialog.getByRole("textbox").fill("nonsense");
    await dialog.getByRole("button", { name: "Send" }).click();
    await dialog.getByText("The first line is a method and a path").waitFor();
    await barriers(page, "dialog");
    await dialog.getByRole("textbox").fill(text.replace("/hook?id=1", "/edited").replace("true", "false"));
    await dialog.getByRole("button", { name: "Send" }).click();
    await until(
      () => bodies.includes('POST /edited {"paid":false}'),
      () => `the edited request: ${bodies.join("\n")}`,
    );
    await page.getByRole("heading", { name: "POST /edited" }).waitFor();

    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save All as HAR" }).click();
    assert.match((await download).suggestedFilename(), /\.har$/);
    for (const scheme of ["light", "dark"] as const)
      for (const width of [1_200, 400]) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 700 });
        await barriers(page, `${scheme} ${width}`);
      }
    // The key stays over a reload, and the page comes back after the client does.
    await page.reload();
    await page.getByText("/edited").first().waitFor();
    assert.deepEqual(wrong, []);
    await client.kill("SIGINT");
    assert.equal((await soon(inspect.exited, "the end of the page's server")).code, 0);
    await page.getByText("The client has ended").waitFor();
  });

  for (const args of [
    ["--web", "--json"],
    ["--web", "--tunnel", "web"],
    ["--web", "status:5xx"],
    ["--web-port", "4040"],
  ])
    it(`does not ignore ${args.join(" ")}`, async () => {
      const { code, stderr } = await runCli(scope, "client", ["inspect", ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /--web(-port)? goes with/);
    });

  it("answers nobody but the page", async () => {
    const { client, inspect, page, visit } = await start();
    await visit("/secret");
    const token = page.hash.slice(1);
    const list = { tunnel: "main", method: "inspect/list", params: {} };
    const ask = (init: {
      readonly path?: string;
      readonly method?: string;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }): Promise<{ status: number; text: string; cors: string | undefined }> =>
      new Promise((resolve, reject) => {
        const { path = "/call", method = "POST", headers = {}, body = JSON.stringify(list) } = init;
        const sent = method === "GET" ? "" : body;
        const asking = httpRequest(
          {
            agent: false,
            host: "127.0.0.1",
            port: page.port,
            path,
            method,
            headers: { "content-length": Buffer.byteLength(sent), ...headers },
          },
          (response) => {
            void readText(response).then((text) =>
              resolve({
                status: response.statusCode ?? 0,
                text,
                cors: response.headers["access-control-allow-origin"],
              }),
            );
          },
        );
        asking.on("error", reject).end(sent);
      });
    const json = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const good = await ask({ headers: json });
    assert.equal(good.status, 200);
    assert.match(good.text, /"\/secret"/);

    for (const [what, init, status] of [
      ["without a key", { headers: { "content-type": "application/json" } }, 401],
      ["with another key", { headers: { ...json, authorization: `Bearer ${"A".repeat(token.length)}` } }, 401],
      [
        "with the key as a parameter",
        { path: `/call?token=${token}`, headers: { "content-type": "application/json" } },
        404,
      ],
      ["events without a key", { path: "/events", method: "GET" }, 401],
      ["under a name that is led here", { headers: { ...json, host: `evil.example:${page.port}` } }, 421],
      ["the page under such a name", { path: "/", method: "GET", headers: { host: "evil.example" } }, 421],
      ["from another site", { headers: { ...json, "sec-fetch-site": "cross-site" } }, 403],
      ["from another port of this machine", { headers: { ...json, "sec-fetch-site": "same-site" } }, 403],
      ["a form", { headers: { ...json, "content-type": "application/x-www-form-urlencoded" } }, 415],
      [
        "a method that is not the page's",
        { headers: json, body: JSON.stringify({ ...list, method: "tunnel/stop" }) },
        400,
      ],
      ["a method of Object", { headers: json, body: JSON.stringify({ ...list, method: "constructor" }) }, 400],
      ["null for parameters", { headers: json, body: JSON.stringify({ ...list, params: null }) }, 400],
      ["no JSON", { headers: json, body: "{" }, 400],
      ["no object", { headers: json, body: "null" }, 400],
      ["too much", { headers: { ...json, "content-length": String(64 * 1024 * 1024) } }, 413],
      ["PUT", { method: "PUT", headers: json }, 404],
    ] as const) {
      const {
        status: got,
        text,
        cors,
      } = await ask(init).catch((cause: unknown) => {
        throw new Error(what, { cause });
      });
      assert.equal(got, status, `${what}: ${text}`);
      assert.ok(!text.includes("/secret"), what);
      assert.equal(cors, undefined, what);
    }
    assert.equal((await ask({ headers: json })).status, 200, "it still works");
    assert.equal((await inspect.kill("SIGINT")).code, 0);
    await client.kill("SIGINT");
  });
});

async function barriers(page: Page, what: string): Promise<void> {
  await page.evaluate(await readFile(axePath, "utf8"));
  const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  assert.deepEqual(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
    [],
    what,
  );
}
