import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { WebSocket, WebSocketServer } from "ws";
import {
  connectVisitor,
  readText,
  request,
  runCli,
  settable,
  siteAt,
  startCli,
  startHttp,
  startTestRelay,
  startTunnel,
  until,
  useScope,
  type Site,
  type TestClientOptions,
} from "@porthole/testing/end-to-end";

interface Seen {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

const browser = { accept: "text/html" };

describe("access rules", function () {
  this.timeout(120_000);
  const scope = useScope();

  /** A service that keeps what reached it, and an endpoint with rules in front of it. */
  async function expose(args: readonly string[], client: Partial<TestClientOptions> = {}) {
    const seen: Seen[] = [];
    let begun = 0;
    const service = await startHttp(scope, (incoming, response) => {
      begun += 1;
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        const { method, url, rawHeaders } = incoming;
        seen.push({ line: `${method} ${url}`, headers: rawHeaders, body: Buffer.concat(chunks) });
        response.setHeader("Set-Cookie", "own=1");
        response.end("the service");
      });
    });
    const tunnel = await startTunnel(scope, { transport: "http2", local: service.local, client: { args, ...client } });
    return { ...tunnel, seen, service, begun: () => begun };
  }

  async function ask(site: Site, path: string, options?: Parameters<typeof request>[2]) {
    const { status, headers, body } = await request(site, path, options);
    return { status, headers, text: await readText(body) };
  }

  async function secretFile(text: string): Promise<string> {
    const path = join(await scope.folder(), "secret");
    await writeFile(path, text, { mode: 0o600 });
    return path;
  }

  it("let in who has a password or a token, and keep both from the service", async () => {
    const { site, seen } = await expose(["--access-basic-file", await secretFile("ada:lovelace\n")], {
      env: { PORTHOLE_ACCESS_BEARER: "token-1" },
    });
    const refused = await ask(site, "/", { headers: browser });
    assert.equal(refused.status, 401);
    assert.deepEqual(
      refused.headers["www-authenticate"],
      'Basic realm="Porthole", charset="UTF-8", Bearer realm="Porthole"',
    );
    assert.match(refused.text, /<html/);
    const api = await ask(site, "/", { headers: { accept: "application/json", authorization: "Bearer token-2" } });
    assert.equal(api.status, 401);
    assert.equal((JSON.parse(api.text) as { error: { code: string } }).error.code, "unauthorized");
    assert.equal(seen.length, 0);
    const basic = `Basic ${Buffer.from("ada:lovelace").toString("base64")}`;
    for (const authorization of [basic, "Bearer token-1"]) {
      const { status, text } = await ask(site, "/", { headers: { authorization } });
      assert.deepEqual([status, text], [200, "the service"]);
    }
    assert.equal(seen.length, 2);
    assert.ok(!seen.some(({ headers }) => headers.some((text) => /authorization/i.test(text))));
  });

  it("keep addresses out, and paths closed", async () => {
    const { site: kept, seen } = await expose(["--access-address", "!127.0.0.0/8"]);
    assert.equal((await ask(kept, "/")).status, 403);
    const { site: open } = await expose(["--access-address", "127.0.0.1", "--access-path", "/webhooks/*"]);
    assert.equal((await ask(open, "/webhooks/a?b=c")).status, 200);
    for (const path of ["/", "/webhooks/../admin", "/webhooks/%2e%2e/admin", "//webhooks/a", "/webhooks%2fa"])
      assert.equal((await ask(open, path)).status, 404, path);
    assert.equal(seen.length, 0);
  });

  it("end with the time that was given, and visitors inside are out", async () => {
    const clock = settable(scope.clock);
    const { site, service, seen, begun } = await expose(["--access-for", "1h"], { clock });
    assert.equal((await ask(site, "/")).status, 200);
    const socket = await connectVisitor(scope, site, { alpn: ["http/1.1"] });
    socket.write(`POST / HTTP/1.1\r\nHost: ${site.hostname}:${site.port}\r\nContent-Length: 10\r\n\r\nhalf`);
    await until(() => begun() === 2, "the visitor was inside");
    clock.forward(3_600_000);
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(String(answer), /^HTTP\/1\.1 403 /);
    socket.destroy();
    const late = await ask(site, "/");
    assert.equal(late.status, 410);
    assert.equal(seen.length, 1);
    await service.close();
  });

  it("let nobody in who does not speak HTTP", async () => {
    const { site, seen } = await expose(["--access-bearer-file", await secretFile("t")]);
    const socket = await connectVisitor(scope, site, { alpn: ["something/else"] }).catch(() => undefined);
    socket?.destroy();
    const plain = await connectVisitor(scope, site);
    plain.write("EHLO you\r\n");
    assert.match(await readText(plain), /^HTTP\/1\.1 400|^$/);
    assert.equal(seen.length, 0);
  });

  describe("of webhooks", () => {
    const body = '{"id": "evt_1",\r\n  "amount": 10.50}';
    const now = (): string => String(Math.floor(Date.now() / 1_000));
    const hmac = (text: string, encoding: "hex" | "base64", key: string | Buffer = "hush") =>
      createHmac("sha256", key).update(text).digest(encoding);
    const key = Buffer.from("a signing token!");
    const senders: readonly [string, string, (sentAt: string) => Record<string, string>, boolean][] = [
      ["stripe", "hush", (t) => ({ "stripe-signature": `t=${t},v1=${hmac(`${t}.${body}`, "hex")}` }), true],
      ["github", "hush", () => ({ "x-hub-signature-256": `sha256=${hmac(body, "hex")}` }), false],
      ["gitlab", "hush", () => ({ "x-gitlab-token": "hush" }), false],
      [
        "gitlab",
        `whsec_${key.toString("base64")}`,
        (t) => ({
          "webhook-id": "m1",
          "webhook-timestamp": t,
          "webhook-signature": `v1,${hmac(`m1.${t}.${body}`, "base64", key)}`,
        }),
        true,
      ],
      ["shopify", "hush", () => ({ "x-shopify-hmac-sha256": hmac(body, "base64") }), false],
      [
        "slack",
        "hush",
        (t) => ({ "x-slack-request-timestamp": t, "x-slack-signature": `v0=${hmac(`v0:${t}:${body}`, "hex")}` }),
        true,
      ],
      ["hmac:x-signature:sha256:base64", "hush", () => ({ "x-signature": hmac(body, "base64") }), false],
    ];
    for (const [scheme, secret, sign, isTimed] of senders)
      it(`${scheme}${secret === "hush" ? "" : ", signing"}: a genuine one comes through byte for byte, no other reaches the service`, async () => {
        const { site, seen } = await expose([
          "--access-webhook",
          scheme,
          "--access-webhook-secret-file",
          await secretFile(secret),
        ]);
        const send = (headers: Record<string, string>, text = body) =>
          ask(site, "/hook", {
            method: "POST",
            headers: { "content-type": "application/json", ...headers },
            body: text,
          });
        const genuine = sign(now());
        const isToken = "x-gitlab-token" in genuine;
        const changed = Object.fromEntries(
          Object.entries(genuine).map(([name, value]) => [
            name,
            value.replace(/.(?=.$)/, (c) => (c === "x" ? "y" : "x")),
          ]),
        );
        const wrong = [
          await send({}),
          await send(changed),
          ...(isToken ? [] : [await send(genuine, `${body} `), await send(genuine, "")]),
          ...(isTimed ? [await send(sign(String(Number(now()) - 600)))] : []),
        ];
        assert.deepEqual(
          wrong.map(({ status }) => status),
          wrong.map(() => 401),
        );
        assert.deepEqual(
          wrong.map(({ text }) => (JSON.parse(text) as { error: { code: string } }).error.code),
          wrong.map(() => "bad-signature"),
        );
        assert.equal(seen.length, 0);
        assert.equal((await send(genuine)).status, 200);
        assert.equal(seen.length, 1);
        assert.equal(seen[0]?.body.toString(), body);
        for (const [name, value] of Object.entries(genuine)) {
          const headers: readonly string[] = seen[0]?.headers ?? [];
          assert.equal(headers[headers.findIndex((text) => text.toLowerCase() === name) + 1], value);
        }
      });
  });

  it("share links: made, followed, listed and revoked with the real programs", async () => {
    const relay = await startTestRelay(scope);
    const seen: Seen[] = [];
    const service = await startHttp(
      scope,
      ({ method, url, rawHeaders }, response) => {
        seen.push({ line: `${method} ${url}`, headers: rawHeaders, body: Buffer.alloc(0) });
        response.setHeader("Set-Cookie", "own=1");
        response.end("the service");
      },
      { onUpgrade: (incoming, socket, head) => sockets.handleUpgrade(incoming, socket, head, () => {}) },
    );
    const sockets = new WebSocketServer({ noServer: true });
    const stateDir = await scope.folder();
    const state = ["--state-dir", stateDir];
    const client = startCli(scope, "client", [
      String(service.port),
      "--server",
      `127.0.0.1:${relay.apiPort}`,
      "--access-share",
      ...state,
    ]);
    const url = (await client.line(/^URL: /)).slice(5);
    await client.line(/^Access: lets in who has a share link$/);
    await client.line(/^online /);
    const site = siteAt(url, join(stateDir, "primary-self-signed.pem"));
    assert.equal((await ask(site, "/")).status, 401);

    const made = await runCli(scope, "client", ["share", "--for", "2h", "--label", "for \u001b[31mAda", ...state]);
    assert.equal(made.code, 0, made.stderr);
    const [link = "", about = ""] = made.stdout.split("\n");
    assert.ok(link.startsWith(`${url}/?porthole-share=`), link);
    assert.match(about, /let in until .* UTC\. porthole share revoke ([0-9a-f]{10})/);
    const path = link.slice(url.length);

    const first = await ask(site, `${path}&page=2`, { headers: browser });
    assert.equal(first.status, 303);
    assert.equal(first.headers.location, "/?page=2");
    const [cookie = ""] = first.headers["set-cookie"] ?? [];
    assert.match(cookie, /^__Host-porthole-share=.*; Path=\/; Max-Age=7[12]\d\d; Secure; HttpOnly; SameSite=Lax$/);
    const pair = cookie.split(";")[0] ?? "";
    const second = await ask(site, "/?page=2", { headers: { ...browser, cookie: `a=b; ${pair}` } });
    assert.deepEqual([second.status, second.text], [200, "the service"]);
    const program = await ask(site, `/api?x=1${path.replace("/?", "&")}`, { method: "POST" });
    assert.equal(program.status, 200);
    assert.equal(program.headers["set-cookie"]?.length, 2);
    assert.deepEqual(
      seen.map(({ line }) => line),
      ["GET /?page=2", "POST /api?x=1"],
    );
    assert.ok(!JSON.stringify(seen).includes("porthole-share"));
    assert.deepEqual(
      seen[0]?.headers.filter((_text, at, all) => all[at - 1]?.toLowerCase() === "cookie"),
      ["a=b"],
    );

    const socket = new WebSocket(`wss://127.0.0.1:${site.port}/`, [], {
      ca: site.ca,
      servername: site.hostname,
      headers: { host: `${site.hostname}:${site.port}`, cookie: pair },
    } as WebSocket.ClientOptions);
    scope.defer(() => socket.terminate());
    await once(socket, "open");
    const closed = once(socket, "close");
    socket.on("error", () => {});

    const listed = await runCli(scope, "client", ["share", "list", ...state]);
    assert.match(listed.stdout, /^[0-9a-f]{10} {2}made .* UTC, until .* UTC {2}for \\x1b\[31mAda$/);
    const id = listed.stdout.slice(0, 10);
    const unknown = await runCli(scope, "client", ["share", "revoke", "0000000000", ...state]);
    assert.equal(unknown.code, 2);
    assert.match((await runCli(scope, "client", ["share", "revoke", id, ...state])).stdout, /1 link revoked/);
    await closed;
    const after = await ask(site, "/", { headers: { cookie: pair } });
    assert.equal(after.status, 401);
    assert.match(after.headers["set-cookie"]?.[0] ?? "", /Max-Age=0/);
    assert.equal((await ask(site, path, { headers: browser })).status, 401);
    assert.match(await readFile(join(stateDir, "share-links", `${url.slice(8, 34)}.json`), "utf8"), /"links": \[\]/);
    sockets.close();
    await client.kill("SIGINT");
  });

  it("say what is wrong with them, and show no secret", async () => {
    const file = await secretFile("no-colon-here");
    const stateDir = await scope.folder();
    await chmod(file, 0o600);
    const cases: readonly [readonly string[], RegExp][] = [
      [["--access-basic-file", file], /Line 1 of the users is not of the form user:password/],
      [["--access-basic", "a:b"], /would show a secret/],
      [["--access-webhook", "stripe"], /--access-webhook-secret-file belong together/],
      [["--access-webhook", "paypal"], /--access-webhook.*not a way to sign/],
      [["--access-address", "300.1.1.1"], /--access-address.*not an address/],
      [["--access-path", "hooks"], /--access-path.*not a path/],
      [["--access-share", "--mode", "tcp"], /--access-share needs HTTP/],
      [["--access-share", "--local", "tcp://127.0.0.1:1"], /--access-share needs HTTP/],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await runCli(scope, "client", [
        "--server",
        "127.0.0.1:1",
        "--state-dir",
        stateDir,
        ...args,
      ]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.ok(!stderr.includes("no-colon-here"));
    }
    const none = await runCli(scope, "client", ["share", "--state-dir", stateDir]);
    assert.match(none.stderr, /No client is running/);
  });

  it("share links are refused where the client does not let anybody in by them", async () => {
    const relay = await startTestRelay(scope);
    const stateDir = await scope.folder();
    const client = startCli(scope, "client", [
      "3000",
      "--server",
      `127.0.0.1:${relay.apiPort}`,
      "--state-dir",
      stateDir,
    ]);
    await client.line(/^online /);
    const { code, stderr } = await runCli(scope, "client", ["share", "--state-dir", stateDir]);
    assert.equal(code, 2);
    assert.match(stderr, /--access-share/);
    await client.kill("SIGINT");
  });
});
