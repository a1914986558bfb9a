import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, stat } from "node:fs/promises";
import net from "node:net";
import { join } from "node:path";
import { asNobody } from "@porthole/testing/as-nobody";
import { systemClock } from "@porthole/common/util";
import { createDialers } from "@porthole/tunnel/dialers";
import { attachToClient, type DaemonConnection, type TunnelStateView } from "@porthole/tunnel/rpc";
import { openCommandSocket, openRuntime, type Runtime } from "@porthole/tunnel/rpc/daemon";
import {
  get,
  settled,
  siteAt,
  soon,
  startCli,
  startHttp,
  startTestRelay,
  useScope,
} from "@porthole/testing/end-to-end";

const client = { name: "test", version: "1" };

describe("programs that attach to a running client", function () {
  this.timeout(180_000);
  const scope = useScope();
  let stateDir: string;
  let runtime: Runtime;

  beforeEach(async () => {
    stateDir = await scope.folder();
    const clock = systemClock;
    runtime = await openRuntime({ stateDir, clock, dialers: createDialers(), software: "test" });
    const socket = await openCommandSocket(runtime, { stateDir, clock, inUseHint: "" });
    scope.defer(async () => {
      await runtime.close();
      await socket.close();
    });
  });

  async function attach(): Promise<DaemonConnection> {
    const connection = await attachToClient({ stateDir, clock: systemClock, client });
    assert.ok(connection);
    scope.defer(() => connection.close());
    return connection;
  }

  async function rawSocket(): Promise<{ readonly socket: net.Socket; received(): string }> {
    const socket = net.connect(join(stateDir, "client.sock"));
    let received = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => (received += chunk));
    socket.on("error", () => {});
    scope.defer(() => socket.destroy());
    await once(socket, "connect");
    return { socket, received: () => received };
  }

  const isOnline = ({ endpoints }: TunnelStateView) => endpoints[0]?.relays[0]?.now.status === "online";

  it("share its tunnels, and the tunnels stay when they go", async () => {
    const [service, relay] = await Promise.all([
      startHttp(scope, (_request, response) => response.end("hello")),
      startTestRelay(scope),
    ]);
    const [one, two] = [await attach(), await attach()];
    const told = Promise.all(
      [one, two].map(
        (each) =>
          new Promise<TunnelStateView>((resolve) =>
            each.on("tunnel/state", ({ id, state }) => {
              if (id === "web" && isOnline(state)) resolve(state);
            }),
          ),
      ),
    );
    const { pem } = await one.call("identity/create", {});
    await one.call("tunnel/start", {
      id: "web",
      relays: [{ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint }],
      primary: { identity: { pem }, local: service.local },
    });
    const [first, second] = await soon(told, "both are notified");
    assert.deepEqual(first, second);
    const visited = new Promise<string>((resolve) => two.on("tunnel/visit", ({ visit }) => resolve(visit.address)));
    one.close();
    const endpoint = first?.endpoints[0];
    const site = siteAt(endpoint?.urls[0] ?? "", join(stateDir, "self-signed", `${endpoint?.clientId}.pem`));
    assert.equal(await get(site), "hello");
    assert.equal(await soon(visited, "the other one is notified"), "127.0.0.1");
    two.close();
    const three = await attach();
    assert.deepEqual(
      (await three.call("tunnel/list", {})).tunnels.map(({ id, state }) => [id, isOnline(state)]),
      [["web", true]],
    );
    await three.call("shutdown", {});
    assert.equal(runtime.shutDown.aborted, true);
    await settled(relay);
  });

  it("read what happened before they came, and take along what they have bound to themselves", async () => {
    const [service, relay] = await Promise.all([
      startHttp(scope, (_request, response) => response.end("hello")),
      startTestRelay(scope),
    ]);
    const starting = await attach();
    const online = new Promise<TunnelStateView>((resolve) =>
      starting.on("tunnel/state", ({ state }) => {
        if (isOnline(state)) resolve(state);
      }),
    );
    const { pem } = await starting.call("identity/create", {});
    await starting.call("tunnel/start", {
      id: "bound",
      relays: [{ address: `127.0.0.1:${relay.apiPort}`, fingerprint: relay.fingerprint }],
      primary: { identity: { pem }, local: service.local },
      untilCallerLeaves: true,
    });
    const endpoint = (await soon(online, "the tunnel is online")).endpoints[0];
    const answered = new Promise((resolve) => starting.on("tunnel/request", resolve));
    await get(siteAt(endpoint?.urls[0] ?? "", join(stateDir, "self-signed", `${endpoint?.clientId}.pem`)));
    await soon(answered, "the request is told");
    const later = await attach();
    const { entries } = await later.call("tunnel/history", { id: "bound" });
    assert.ok(entries.some((entry) => entry.event === "state" && isOnline(entry.state)));
    assert.ok(entries.some((entry) => entry.event === "request" && entry.request.status === 200));
    assert.equal((await later.call("tunnel/history", { id: "bound", limit: 1 })).entries.length, 1);
    await assert.rejects(later.call("tunnel/history", { id: "none" }), { code: "usage", message: /no tunnel "none"/ });
    const stopped = new Promise<void>((resolve) =>
      later.on("tunnel/state", ({ state }) => {
        if (state.ended) resolve();
      }),
    );
    starting.close();
    await soon(stopped, "the tunnel ends with the connection");
    await settled(relay);
  });

  it("end the client only by asking for it", async () => {
    const staying = await attach();
    const leaving = await attach();
    await assert.rejects(staying.call("initialize", { rpcVersion: 1, client }), {
      code: "usage",
      message: "initialize was called before",
    });
    leaving.close();
    const { socket } = await rawSocket();
    socket.destroy();
    assert.deepEqual(await staying.call("tunnel/list", {}), { tunnels: [] });
    assert.equal(runtime.shutDown.aborted, false);
  });

  it("may die in the middle of a message, of a request, or of an answer", async () => {
    const staying = await attach();
    const introduction = JSON.stringify({
      ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
      params: { rpcVersion: 1, client },
    });
    const frame = (body: string): string => `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    const request = frame(JSON.stringify({ jsonrpc: "2.0", id: 2, method: "identity/create", params: {} }));
    for (const bytes of ["Content-Le", frame(introduction).slice(0, -5), frame(introduction) + request.repeat(50)]) {
      const { socket } = await rawSocket();
      socket.write(bytes);
      socket.destroy();
      assert.deepEqual(await staying.call("tunnel/list", {}), { tunnels: [] });
    }
  });

  for (const [what, bytes, complaint] of [
    ["HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", /no Content-Length header/],
    ["bytes without an end", Buffer.alloc(1024 * 1024, "x"), /no Content-Length header/],
    ["a huge message", "Content-Length: 99999999999\r\n\r\n{", /99999999999 bytes, more than/],
    ["no JSON", "Content-Length: 5\r\n\r\nhello", /not JSON/],
  ] as const)
    it(`are disconnected after ${what}, with an error that says so, and nobody else is`, async () => {
      const staying = await attach();
      const { socket, received } = await rawSocket();
      const closed = new Promise((resolve) => socket.on("close", resolve));
      socket.write(bytes);
      await soon(closed, "the end of the connection");
      assert.match(received(), complaint);
      assert.deepEqual(await staying.call("tunnel/list", {}), { tunnels: [] });
    });

  it("have five seconds to introduce themselves", async () => {
    const { socket, received } = await rawSocket();
    const startedAt = performance.now();
    await soon(once(socket, "close"), "the end of the connection");
    assert.ok(performance.now() - startedAt > 4_000);
    assert.equal(received(), "");
  });

  it("are of the same user", async function () {
    assert.equal((await stat(join(stateDir, "client.sock"))).mode & 0o777, 0o600);
    await chmod(stateDir, 0o755);
    await asNobody(this, () => assert.rejects(attach(), { code: "state", message: /no permission/ }));
  });
});

describe("a client of the command line", function () {
  this.timeout(180_000);
  const scope = useScope();

  it("is driven by a program that attaches, and ends when that asks for it", async () => {
    const relay = await startTestRelay(scope);
    const stateDir = await scope.folder();
    const argv = ["--server", `127.0.0.1:${relay.apiPort}`, "--state-dir", stateDir, "--json"];
    const running = startCli(scope, "client", argv);
    await running.line(/"status":"online"/);
    const attached = await attachToClient({ stateDir, clock: systemClock, client });
    assert.ok(attached);
    scope.defer(() => attached.close());
    const { state } = await attached.call("tunnel/update", { id: "main", changes: { paused: true } });
    assert.equal(state.endpoints[0]?.gateway.paused, true);
    await running.line(/"paused":true/);
    await attached.call("shutdown", {});
    assert.deepEqual(await running.exited, { code: 0, signal: null });
    assert.equal((await attached.closed).code, "closed");
  });
});
