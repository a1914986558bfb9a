import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeProxyHeader } from "@porthole/common/protocol";
import type { RelaySpec, TunnelChanges } from "@porthole/tunnel/rpc";
import {
  readText,
  request,
  siteAt,
  startHttp,
  startTcp,
  startTestDaemon,
  startTestRelay,
  useScope,
  type Site,
  type TestDaemon,
} from "@porthole/testing/end-to-end";

describe("a daemon that lets visitors in and watches them", function () {
  this.timeout(180_000);
  const scope = useScope();
  let test: TestDaemon;
  let site: Site;
  let relays: readonly RelaySpec[];

  beforeEach(async () => {
    const [service, relay] = await Promise.all([
      startHttp(scope, (asked, response) => response.end(`${asked.method} ${asked.url} for ${asked.headers.host}`)),
      startTestRelay(scope),
    ]);
    relays = [{ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint }];
    test = await startTestDaemon(scope);
    const { pem } = await test.daemon.call("identity/create", {});
    await test.daemon.call("tunnel/start", {
      id: "web",
      relays,
      primary: { identity: { pem }, local: service.local },
    });
    const view = await test.told("tunnel/state", "online", ({ state: { endpoints } }) =>
      endpoints[0]?.relays[0]?.now.status === "online" ? endpoints[0] : undefined,
    );
    site = siteAt(view.urls[0] ?? "", join(test.stateDir, "self-signed", `${view.clientId}.pem`));
  });

  const change = (changes: TunnelChanges) => test.daemon.call("tunnel/update", { id: "web", changes });
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const { status, body } = await request(site, path, { headers });
    return { status, text: await readText(body) };
  };

  it("tells each request, without its query", async () => {
    await ask("/hello?token=secret");
    const told = await test.told("tunnel/request", "the request", ({ request: each }) => each);
    assert.deepEqual([told.method, told.path, told.status, told.role], ["GET", "/hello", 200, "primary"]);
  });

  it("changes headers, routes and pauses in place", async () => {
    const other = await startHttp(scope, (_asked, response) => response.end("the other one"));
    const { state } = await change({ headers: "localhost", routes: [{ path: "/api", local: other.local }] });
    assert.deepEqual(state.endpoints[0]?.gateway.routes, [{ path: "/api", service: other.local }]);
    assert.match((await ask("/")).text, /for localhost:\d+$/);
    assert.equal((await ask("/api/x")).text, "the other one");
    await change({ paused: true });
    assert.equal((await ask("/")).status, 503);
    await change({ paused: null, routes: null, headers: "transparent" });
    assert.match((await ask("/api")).text, new RegExp(`GET /api for ${site.hostname}`));
    await assert.rejects(change({ mode: "tcp", routes: [{ path: "/api", local: "1" }] }), { code: "usage" });
    await assert.rejects(change({ routes: [{ path: "api", local: "1" }] }), { code: "usage", message: /routes\.0/ });
  });

  it("tells the local service who visits, when it is to", async () => {
    const got: string[] = [];
    const service = await startTcp(scope, (socket) => {
      socket.once("data", (bytes) => {
        got.push(bytes.toString("latin1"));
        socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    });
    await change({ primary: { local: `http://127.0.0.1:${service.port}` }, localProxyProtocol: true });
    assert.equal((await ask("/x")).text, "ok");
    assert.equal(decodeProxyHeader(Buffer.from(got[0] ?? "", "latin1"))?.header.source?.address, "127.0.0.1");
    await change({ localProxyProtocol: null });
    assert.equal((await ask("/y")).text, "ok");
    assert.match(got[1] ?? "", /^GET \/y /);
    await assert.rejects(change({ localCa: "not a certificate" }), { code: "usage", message: /^localCa: / });
    await assert.rejects(change({ localProxyProtocol: "yes" as never }), {
      code: "usage",
      message: /localProxyProtocol should be/,
    });
  });

  it("asks for what the access rules want, and makes links that let in until they are revoked", async () => {
    const { daemon } = test;
    await assert.rejects(daemon.call("access/share", { tunnel: "web" }), { code: "usage", message: /Links/ });
    const { state } = await change({ access: { users: ["ann:secret"], share: true, paths: ["/open/*"] } });
    assert.deepEqual(state.endpoints[0]?.gateway.access?.credentials, ["basic", "share"]);
    assert.ok(!JSON.stringify(state).includes("secret"));
    assert.equal((await ask("/open/door")).status, 401);
    const authorization = `Basic ${Buffer.from("ann:secret").toString("base64")}`;
    assert.equal((await ask("/open/door", { authorization })).status, 200);
    assert.equal((await ask("/closed", { authorization })).status, 404);
    const { link, urls } = await daemon.call("access/share", { tunnel: "web", label: "Bob", forMs: 60_000 });
    const token = new URL(urls[0] ?? "").search;
    assert.equal((await ask(`/open/door${token}`)).status, 200);
    assert.deepEqual((await daemon.call("access/links", { tunnel: "web" })).links, [link]);
    await daemon.call("access/revoke", { tunnel: "web", link: link.id });
    assert.equal((await ask(`/open/door${token}`)).status, 401);
    await assert.rejects(daemon.call("access/revoke", { tunnel: "web", link: link.id }), { code: "usage" });
    await assert.rejects(change({ access: { addresses: ["nonsense"] } }), { code: "usage" });
    assert.equal((await ask("/open/door")).status, 401, "what was refused has changed nothing");
    await change({ access: null });
    assert.equal((await ask("/anywhere")).status, 200);
  });

  it("records requests, shows them, and sends one again", async () => {
    const { daemon } = test;
    await assert.rejects(daemon.call("inspect/list", { tunnel: "web" }), { code: "usage", message: /not recorded/ });
    await change({ inspect: {} });
    await ask("/first?x=1");
    const row = await test.told("inspect/exchange", "the request", ({ id, changes }) =>
      id === "web" ? changes.exchanges.find(({ state }) => state === "done") : undefined,
    );
    assert.deepEqual([row.method, row.target, row.status], ["GET", "/first?x=1", 200]);
    const { exchanges } = await daemon.call("inspect/list", { tunnel: "web" });
    assert.deepEqual(
      exchanges.map(({ id }) => id),
      [row.id],
    );
    const detail = await daemon.call("inspect/get", { tunnel: "web", id: row.id });
    assert.equal(detail.response?.status, 200);
    const body = await daemon.call("inspect/body", { tunnel: "web", id: row.id, side: "response" });
    assert.match(body.text ?? "", /^GET \/first/);
    const { id } = await daemon.call("inspect/replay", { tunnel: "web", id: row.id, edit: { target: "/again" } });
    const again = await test.told("inspect/exchange", "the replay", ({ changes }) =>
      changes.exchanges.find((each) => each.id === id && each.state === "done"),
    );
    assert.deepEqual([again.target, again.replayOf], ["/again", row.id]);
    const { text } = await daemon.call("inspect/export", { tunnel: "web", format: "har", ids: [] });
    assert.equal((JSON.parse(text) as { log: { entries: unknown[] } }).log.entries.length, 2);
    assert.equal((await daemon.call("inspect/record", { tunnel: "web", recording: false })).recording, false);
    await daemon.call("inspect/clear", { tunnel: "web" });
    assert.deepEqual((await daemon.call("inspect/list", { tunnel: "web" })).exchanges, []);
  });

  it("hands its requests to the next daemon when its input ends, and forgets them when the tunnel is stopped", async () => {
    const keep = { path: join(await scope.folder(), "kept"), key: randomBytes(32).toString("base64") };
    const { pem } = await test.daemon.call("identity/create", {});
    const spec = { id: "kept", relays, primary: { identity: { pem }, local: "1" }, inspect: { keep } };
    const record = async ({ daemon, stateDir, told }: TestDaemon): Promise<void> => {
      await daemon.call("tunnel/start", spec);
      const { urls, clientId } = await told("tunnel/state", "online", ({ id, state: { endpoints } }) =>
        id === "kept" && endpoints[0]?.relays[0]?.now.status === "online" ? endpoints[0] : undefined,
      );
      const kept = siteAt(urls[0] ?? "", join(stateDir, "self-signed", `${clientId}.pem`));
      await readText((await request(kept, "/kept")).body);
    };
    const targets = async ({ daemon }: TestDaemon): Promise<readonly string[]> => {
      const { exchanges } = await daemon.call("inspect/list", { tunnel: "kept" });
      return exchanges.map(({ target }) => target);
    };
    await record(test);
    test.daemon.close();
    await test.ended;
    assert.doesNotMatch((await readFile(keep.path)).toString("latin1"), /kept/);

    const second = await startTestDaemon(scope);
    await record(second);
    assert.deepEqual(await targets(second), ["/kept", "/kept"]);
    await assert.rejects(readFile(keep.path), { code: "ENOENT" });
    await second.daemon.call("tunnel/stop", { id: "kept" });
    second.daemon.close();
    await second.ended;
    await assert.rejects(readFile(keep.path), { code: "ENOENT" });
  });
});
