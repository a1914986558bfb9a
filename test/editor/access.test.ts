import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { request as httpsRequest } from "node:https";
import type { Browser } from "playwright-core";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { needProgram, startHttp, startTestRelay, until, useScope } from "@porthole/testing/end-to-end";
import { launchBrowser, packExtension, startCodeServer, Workbench } from "@porthole/testing/editor";

/** Every kind of rule, set by hand and tried from outside. */
describe("The extension's access rules", function () {
  this.timeout(600_000);
  let browser: Browser;
  let vsix: string;
  let workbench: Workbench | undefined;

  before(async function () {
    this.timeout(10 * 60_000);
    skipUnless(this, process.platform === "linux" && process.arch === "x64", platformReason("The editor is Linux's"));
    needProgram(this, "chromium");
    vsix = await packExtension();
    browser = await launchBrowser();
  });
  after(() => browser?.close());
  afterEach(async function () {
    await workbench?.pictureOfFailure(this.currentTest);
    await workbench?.close();
  });

  const scope = useScope();

  interface Visit {
    readonly path?: string;
    readonly body?: string;
    readonly headers?: Readonly<Record<string, string>>;
  }

  async function visit(url: string, { path = "/", body, headers = {} }: Visit = {}): Promise<number> {
    const { hostname, port } = new URL(url);
    const asked = httpsRequest({
      ...{ host: "127.0.0.1", port, servername: hostname, path, agent: false, rejectUnauthorized: false },
      method: body === undefined ? "GET" : "POST",
      headers: { host: `${hostname}:${port}`, ...headers },
    });
    asked.end(body);
    const [response] = await once(asked, "response");
    response.resume();
    await once(response, "end");
    return response.statusCode;
  }

  it("admit by token, by paths, by addresses and by a signature of any service", async () => {
    const relay = await startTestRelay(scope, { args: ["--domain-suffix", "localhost", "--open"] });
    const server = await startCodeServer({
      extensions: [vsix],
      settings: {
        "porthole.relays": [{ address: `127.0.0.1:${relay.apiPort}` }],
        "porthole.certificates": "self-signed",
        "porthole.defaultAccess": "public",
      },
    });
    scope.defer(() => server.stop());
    const site = await startHttp(scope, (_request, response) => response.end("hello"));
    const opened = await Workbench.open(browser, server);
    workbench = opened;
    await opened.command("Porthole: Expose with Porthole");
    await opened.quickInput("Expose a Port");
    await opened.pick(String(site.port));
    await opened.notification("Copied https://").waitFor();
    const url = await opened.copiedUrl();
    await opened.dismissNotifications();
    const restrict = async (choice: RegExp): Promise<void> => {
      await opened.command("Porthole: Restrict Access…");
      await opened.quickInput("Who may visit");
      await opened.pick(choice);
    };
    const becomes = (status: number, how?: Visit): Promise<void> =>
      until(async () => (await visit(url, how)) === status, `${JSON.stringify(how ?? {})} is ${status}`, 60_000);

    assert.equal(await visit(url), 200);
    await restrict(/Token for programs…/);
    await opened.notification("Copied a token").waitFor();
    const token = await opened.clipboard();
    await opened.dismissNotifications();
    assert.equal(await visit(url), 401);
    const headers = { authorization: `Bearer ${token}` };
    assert.equal(await visit(url, { headers }), 200);

    await restrict(/Only some paths…/);
    await opened.quickInput("that are open");
    await opened.answer("/hooks/* !/hooks/secret");
    await becomes(404, { headers });
    assert.equal(await visit(url, { headers, path: "/hooks/secret" }), 404);
    assert.equal(await visit(url, { headers, path: "/hooks/a" }), 200);
    assert.equal(await visit(url, { path: "/hooks/a" }), 401, "the token is needed as before");

    await restrict(/Signed webhooks only…/);
    await opened.pick(/Another service…/);
    await opened.quickInput("Which header has the signature?");
    await opened.answer("X-Acme-Signature");
    await opened.quickInput("Signing secret");
    await opened.answer("a secret of 24 characters");
    const body = '{"event":"paid"}';
    const sign = (secret: string) => createHmac("sha256", secret).update(body).digest("hex");
    const signed = (secret: string): Visit => ({
      ...{ path: "/hooks/a", body },
      headers: { "x-acme-signature": sign(secret) },
    });
    await becomes(200, signed("a secret of 24 characters"));
    assert.equal(await visit(url, signed("another secret")), 401);
    assert.equal(await visit(url, { headers, path: "/hooks/a" }), 401, "the token is no longer good");

    await restrict(/Only some addresses…/);
    await opened.quickInput("Addresses that may visit");
    await opened.answer("not an address");
    await opened.notification("is not an address").waitFor();
    await opened.dismissNotifications();
    assert.equal(await visit(url, signed("a secret of 24 characters")), 200, "nothing has changed");
    await restrict(/Only some addresses…/);
    await opened.quickInput("Addresses that may visit");
    await opened.answer("!127.0.0.1");
    await becomes(403, signed("a secret of 24 characters"));
    await opened.showEndpoints();
    await opened.picture("restricted");
  });
});
