import assert from "node:assert/strict";
import http from "node:http";
import https from "node:https";
import type { IncomingMessage } from "node:http";
import type { Relay } from "@porthole/relay";
import { freePort, readText, startTestRelay, useScope } from "@porthole/testing/end-to-end";

interface Got {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly text: string;
}

describe("The relay's own name", function () {
  this.timeout(60_000);
  const scope = useScope();

  for (const layout of ["separate ports", "one port"] as const) {
    it(`shows what this is and where to report a site, over https and http: ${layout}`, async () => {
      const port = String(await freePort());
      const relay = await startTestRelay(scope, {
        args: [
          ...["--domain-suffix", "tunnel.localhost", "--http-port", "0", "--abuse-contact", "abuse@example.com"],
          ...(layout === "one port" ? ["--api-port", port, "--pub-port", port, "--alpn-port", port] : []),
        ],
      });
      for (const scheme of ["https", "http"] as const) {
        const page = await get(relay, scheme, "/");
        assert.equal(page.status, 200);
        assert.match(page.type ?? "", /^text\/html/);
        assert.match(page.text, /This is a Porthole relay/);
        assert.match(page.text, /<a href="mailto:abuse@example\.com">abuse@example\.com<\/a>/);
        const security = await get(relay, scheme, "/.well-known/security.txt");
        assert.match(security.text, /^Contact: mailto:abuse@example\.com\nExpires: \d{4}-\d\d-\d\dT[\d:.]+Z\n$/);
        assert.ok(Date.parse(security.text.trim().split("Expires: ")[1] ?? "") < Date.now() + 365 * 24 * 3_600_000);
        assert.equal((await get(relay, scheme, "/other")).status, 404);
      }
    });
  }

  it("has no security.txt where nobody has named a contact", async () => {
    const relay = await startTestRelay(scope, { args: ["--domain-suffix", "tunnel.localhost", "--http-port", "0"] });
    assert.equal((await get(relay, "https", "/.well-known/security.txt")).status, 404);
    assert.match((await get(relay, "https", "/")).text, /has named no contact/);
  });

  it("is not where a page that rebinds its name reads the figures", async () => {
    const relay = await startTestRelay(scope, { args: ["--admin-port", "0", "--admin-host", "relay"] });
    for (const [host, status] of [
      ["evil.example", 421],
      ["evil.example:80", 421],
      ["127.0.0.1", 200],
      ["[::1]:9464", 200],
      ["localhost:9464", 200],
      ["relay:9464", 200],
    ] as const) {
      const response = await answer(http.get({ host: "127.0.0.1", port: relay.adminPort, headers: { host } }));
      assert.equal(response.statusCode === 421 ? 421 : 200, status, host);
      response.resume();
    }
  });

  async function get(relay: Relay, scheme: "https" | "http", path: string): Promise<Got> {
    const host = { host: "127.0.0.1", path, headers: { host: "tunnel.localhost" }, agent: false };
    const request =
      scheme === "http"
        ? http.get({ ...host, port: relay.httpPort })
        : https.get({ ...host, port: relay.publicPort, servername: "tunnel.localhost", rejectUnauthorized: false });
    const response = await answer(request);
    return {
      status: response.statusCode,
      type: response.headers["content-type"],
      text: await readText(response),
    };
  }
});

function answer(request: http.ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.on("response", resolve).on("error", reject);
  });
}
