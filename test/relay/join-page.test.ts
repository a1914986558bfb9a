import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import type { Relay } from "@porthole/relay";
import { parseInvite } from "@porthole/common/invite";
import { launchBrowser } from "@porthole/testing/editor";
import { needProgram, soon, startTestRelay, until, useScope } from "@porthole/testing/end-to-end";

const axePath = createRequire(import.meta.url).resolve("axe-core");
const token = "abcdefghij.klmnopqrstuvwxyz234567abcd";
const invite = `relay=tunnel.localhost:4433&pin=${"a".repeat(52)}&token=${token}`;

describe("The relay's page for invites", function () {
  this.timeout(120_000);
  const scope = useScope();
  let browser: Browser;
  let relay: Relay;
  let origin: string;

  before(async function () {
    needProgram(this, "chromium");
    browser = await launchBrowser();
  });
  after(() => browser?.close());
  beforeEach(async () => {
    relay = await startTestRelay(scope, { args: ["--domain-suffix", "tunnel.localhost", "--http-port", "0"] });
    origin = `https://tunnel.localhost:${relay.publicPort}`;
  });

  /** A page, and every URL that it has asked for. */
  async function openPage(): Promise<{ readonly page: Page; readonly asked: string[]; readonly troubles: string[] }> {
    const context = await browser.newContext();
    scope.defer(() => context.close());
    await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin });
    const page = await context.newPage();
    const asked: string[] = [];
    const troubles: string[] = [];
    context.on("request", (request) => asked.push(`${request.method()} ${request.url()} ${request.postData() ?? ""}`));
    page.on("pageerror", (error) => troubles.push(error.message));
    page.on("console", (message) => {
      // A browser asks for the icon, which there is none of.
      if (message.type() === "error" && !message.location().url.endsWith("/favicon.ico")) troubles.push(message.text());
    });
    return { page, asked, troubles };
  }

  it("opens an invite in each editor, and tells nobody of it", async () => {
    const { page, asked, troubles } = await openPage();
    await page.goto(`${origin}/join#${invite}`);
    const links = page.locator("a[data-scheme]");
    await links.first().waitFor();
    const schemes: string[] = [];
    for (const link of await links.all()) {
      const href = (await link.getAttribute("href")) ?? "";
      schemes.push(new URL(href).protocol);
      assert.equal(parseInvite(href).token.reveal(), token);
    }
    for (const scheme of ["vscode:", "vscode-insiders:", "vscodium:", "cursor:", "windsurf:"])
      assert.ok(schemes.includes(scheme), scheme);
    assert.equal(await page.locator("#relay").innerText(), "tunnel.localhost:4433");
    await page.getByRole("button", { name: "Copy the invite" }).click();
    await page.getByText("Copied.").waitFor();
    const copied = await page.evaluate<string>("navigator.clipboard.readText()");
    assert.equal(parseInvite(copied).token.reveal(), token);
    assert.match(await page.locator("#command").innerText(), /^porthole join 'porthole:\/\/join\?.*'$/);

    assert.equal(page.url(), `${origin}/join`);
    assert.ok(asked.length > 0);
    assert.deepEqual(
      asked.filter((each) => each.includes(token) || !each.includes(` ${origin}/`)),
      [],
    );
    // The policy would have been told of otherwise: the page asks for nothing.
    assert.equal(troubles.length, 0, troubles.join("\n"));
    await page.evaluate("fetch('/?leak').catch(() => {})");
    await until(
      () => troubles.some((text) => text.includes("Content Security Policy")),
      "the policy forbids a request",
    );
    await page.evaluate(await readFile(axePath, "utf8"));
    const { violations } = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
    assert.deepEqual(
      violations.map(({ id }) => id),
      [],
    );
  });

  for (const [what, hash] of [
    ["none", ""],
    ["half of one", "#relay=tunnel.localhost:4433"],
    ["markup", `#relay=<img src=x onerror=document.title='owned'>&token=x`],
    ["another link", `#"><a href=javascript:alert(1)>&relay=a&token=b`],
  ] as const)
    it(`says so when there is ${what}`, async () => {
      const { page } = await openPage();
      await page.goto(`${origin}/join${hash}`);
      await page.getByText("There is no invite in this address").waitFor();
      assert.equal(await page.locator("#join").isVisible(), false);
      assert.notEqual(await page.title(), "owned");
    });

  it("is served over https only", async () => {
    const options = { host: "127.0.0.1", port: relay.httpPort, path: "/join", agent: false };
    const sent = http.get({ ...options, headers: { host: "tunnel.localhost" } });
    const [response] = (await soon(once(sent, "response"), "an answer")) as [IncomingMessage];
    response.resume();
    assert.deepEqual([response.statusCode, response.headers.location], [308, `${origin}/join`]);
  });
});
