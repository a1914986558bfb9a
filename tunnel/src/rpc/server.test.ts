import assert from "node:assert/strict";
import { PassThrough, Writable } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { FakeClock } from "@porthole/testing/fake-clock";
import { connectDaemon } from "./client.ts";
import type { InitializeResult } from "./contract/index.ts";
import { rpcLimits, RpcServer, type Handlers } from "./server.ts";

const client = { name: "test", version: "1" };
const result = { rpcVersion: 1, version: "0", node: "0", quic: { available: true } } as InitializeResult;

function unexpected(): never {
  throw new Error("Not this one");
}

/** A caller and a server, with the handlers that a test gives. */
function pair(given: Partial<Handlers>) {
  const handlers = given as Handlers;
  const [up, down] = [new PassThrough(), new PassThrough()];
  const clock = new FakeClock();
  const server = new RpcServer({ input: up, output: down }, { initialize: async () => ({ result, handlers }) }, clock);
  return { up, down, clock, server, daemon: connectDaemon({ input: down, output: up }) };
}

async function ready(given: Partial<Handlers>) {
  const both = pair({ "tunnel/list": () => ({ tunnels: [] }), ...given });
  await both.daemon.call("initialize", { rpcVersion: 1, client });
  return both;
}

describe("the two ends of the contract", () => {
  it("pass errors on with code, hint and when to try again", async () => {
    const error = new PortholeError("busy", "Too many", { hint: "Wait.", retryAfterMs: 5_000 });
    const { daemon } = await ready({ "tunnel/stop": () => Promise.reject(error) });
    await assert.rejects(daemon.call("tunnel/stop", { id: "a" }), {
      name: "PortholeError",
      code: "busy",
      message: "Too many",
      hint: "Wait.",
      retryAfterMs: 5_000,
    });
  });

  it("survive a handler that breaks", async () => {
    const { daemon } = await ready({ "tunnel/stop": unexpected });
    await assert.rejects(daemon.call("tunnel/stop", { id: "a" }), { code: "internal", message: "Not this one" });
    assert.deepEqual(await daemon.call("tunnel/list", {}), { tunnels: [] });
  });

  it("refuse wrong parameters before any handler sees them", async () => {
    const { daemon } = await ready({});
    await assert.rejects(daemon.call("tunnel/stop", {} as never), { code: "usage", message: /id is missing/ });
    await assert.rejects(daemon.call("tunnel/sotp" as "tunnel/stop", { id: "a" }), { code: "usage" });
    await assert.rejects(daemon.call("toString" as "tunnel/stop", { id: "a" }), { code: "usage" });
  });

  it("cancel what the caller has aborted", async () => {
    let reason: unknown;
    const { daemon, server } = await ready({
      doctor: (_params, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            reason = signal.reason;
            reject(signal.reason as Error);
          });
        }),
    });
    const stop = new AbortController();
    const call = daemon.call("doctor", { tunnel: "a" }, { signal: stop.signal });
    await daemon.call("tunnel/list", {});
    stop.abort(new Error("enough"));
    await assert.rejects(call, { message: "enough" });
    await server.idle();
    assert.equal(PortholeError.from(reason).code, "aborted");
  });

  it("end a request that takes forever", async () => {
    const { daemon, clock } = await ready({
      doctor: (_params, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
    });
    const call = assert.rejects(daemon.call("doctor", { tunnel: "a" }), { code: "timeout" });
    await daemon.call("tunnel/list", {});
    await clock.advance(rpcLimits.requestMs);
    await call;
  });

  it("tell what waits when the other one is gone, from either side", async () => {
    let reason: unknown;
    const hang: Handlers["doctor"] = (_params, { signal }) =>
      new Promise(() => signal.addEventListener("abort", () => (reason = signal.reason)));
    const first = await ready({ doctor: hang });
    const call = assert.rejects(first.daemon.call("doctor", { tunnel: "a" }), { code: "closed" });
    await first.daemon.call("tunnel/list", {});
    first.down.end();
    await call;
    assert.equal((await first.daemon.closed).code, "closed");
    await assert.rejects(first.daemon.call("tunnel/list", {}), { code: "closed" });

    const second = await ready({ doctor: hang });
    void second.daemon.call("doctor", { tunnel: "a" }).catch(() => {});
    await second.daemon.call("tunnel/list", {});
    second.daemon.close();
    await second.server.closed;
    assert.equal(PortholeError.from(reason).code, "closed");
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(second.clock.pending, 0);
  });

  it("take only so many requests at once", async () => {
    const opens: (() => void)[] = [];
    const { daemon } = await ready({
      "tunnel/stop": () => new Promise((resolve) => opens.push(() => resolve({}))),
    });
    const calls = Array.from({ length: rpcLimits.maxRequests }, () => daemon.call("tunnel/stop", { id: "a" }));
    await assert.rejects(daemon.call("tunnel/list", {}), { code: "busy" });
    for (const open of opens) open();
    await Promise.all(calls);
    await daemon.call("tunnel/list", {});
  });

  it("take nothing more from a caller that does not read, and give it up in the end", async () => {
    const taken: Buffer[] = [];
    const release: (() => void)[] = [];
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        taken.push(chunk);
        release.push(done);
      },
    });
    const input = new PassThrough();
    const clock = new FakeClock();
    const pem = "x".repeat(1024 * 1024);
    const handlers = { "identity/export": () => ({ pem }) } as Partial<Handlers> as Handlers;
    const server = new RpcServer({ input, output }, { initialize: async () => ({ result, handlers }) }, clock);
    const send = (id: number, method: string, params: object): void => {
      const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
      input.write(`Content-Length: ${body.length}\r\n\r\n${body}`);
    };
    send(0, "initialize", { rpcVersion: 1, client });
    for (let id = 1; id <= 60; id++) send(id, "identity/export", { identity: { pem } });
    while (output.writableLength <= rpcLimits.maxPendingBytes) await new Promise((resolve) => setImmediate(resolve));
    for (let turns = 0; turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(output.writableLength <= rpcLimits.maxPendingBytes + 8 * 1024 * 1024, String(output.writableLength));
    assert.ok(input.readableLength > 0);
    assert.equal(clock.pending, 1);
    await clock.advance(rpcLimits.stalledMs);
    await server.closed;
    assert.equal(clock.pending, 0);
  });

  it("end at what is not a message, after an error that says so", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const clock = new FakeClock();
    const server = new RpcServer({ input, output }, { initialize: unexpected }, clock);
    input.write("GET / HTTP/1.1\r\n\r\n");
    await server.closed;
    assert.match(String(output.read()), /"id":null,"error":\{"code":-32600,"message":"What came in is not a message/);
    assert.equal(clock.pending, 0);
  });

  it("end at what is not a message, also when nobody reads the error", async () => {
    const input = new PassThrough();
    const output = new Writable({ write: () => {} });
    const clock = new FakeClock();
    const server = new RpcServer({ input, output }, { initialize: unexpected }, clock);
    input.write(Buffer.alloc(100_000));
    while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(rpcLimits.refusalMs);
    await server.closed;
  });

  it("do not believe a daemon that writes something else", async () => {
    const [up, down] = [new PassThrough(), new PassThrough()];
    const daemon = connectDaemon({ input: down, output: up });
    down.write("Hello, I am a stray line\r\n\r\n");
    assert.equal((await daemon.closed).code, "protocol");
    assert.equal(up.writableEnded, true);
  });
});
