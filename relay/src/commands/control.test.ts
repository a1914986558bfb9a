import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setImmediate as turn } from "node:timers/promises";
import { openControlSocket, type ControlSocket } from "@porthole/common/control";
import { PortholeError } from "@porthole/common/errors";
import { FakeClock } from "@porthole/testing/fake-clock";
import { askRelay, askRelayIfAny, serveCommand } from "./control.ts";

describe("commands to a running relay", () => {
  let stateDir: string;
  let clock: FakeClock;
  let control: ControlSocket;

  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), "porthole-control-"));
    clock = new FakeClock();
    const commands = {
      status: () => ({ is: "up" }),
      double: (params: unknown) => Promise.resolve(Number(params) * 2),
      fail: () => {
        throw new PortholeError("usage", "No such\nthing", { hint: "Ask for another." });
      },
    };
    control = await openControlSocket({
      ...{ stateDir, program: "relay", clock, inUseHint: "" },
      onConnection: (socket) => void serveCommand(socket, commands, clock),
    });
  });

  afterEach(async () => {
    await control.close();
    assert.equal(clock.pending, 0);
    await rm(stateDir, { recursive: true });
  });

  it("are answered, with parameters and errors", async () => {
    assert.deepEqual(await askRelay(stateDir, "status"), { is: "up" });
    assert.equal(await askRelay(stateDir, "double", 21), 42);
    await assert.rejects(askRelay(stateDir, "fail"), {
      code: "usage",
      message: "No such\nthing",
      hint: "Ask for another.",
    });
    for (const command of ["restart", "constructor", "__proto__"])
      assert.equal(await askRelayIfAny(stateDir, command), undefined);
  });

  it("need a relay that runs", async () => {
    const other = join(stateDir, "other");
    assert.equal(await askRelayIfAny(other, "status"), undefined);
    await assert.rejects(askRelay(other, "status"), { code: "closed" });
  });

  const connect = async (): Promise<net.Socket> => {
    const socket = net.connect(join(stateDir, "relay.sock"));
    socket.on("error", () => {});
    await once(socket, "connect");
    return socket;
  };

  it("come as one line, in whatever pieces, and nothing after it is read", async () => {
    const socket = await connect();
    const answer = text(socket);
    for (const piece of ['{"command":', '"status"}\r', '\n{"command":"fail"}\nsto']) {
      socket.write(piece);
      await turn();
    }
    assert.equal(await answer, '{"answer":{"is":"up"}}\n');
  });

  for (const [what, bytes, code] of [
    ["no JSON", "GET / HTTP/1.1\r\n\r\n", "usage"],
    ["null", "null\n", "usage"],
    ["too long", "x".repeat(1024 * 1024), "limit"],
  ] as const)
    it(`are refused when they are ${what}`, async () => {
      const socket = await connect();
      socket.write(bytes);
      const { error } = JSON.parse(await text(socket)) as { readonly error: { readonly code: string } };
      assert.equal(error.code, code);
    });

  it("must come to their end in time", async () => {
    const socket = await connect();
    const end = once(socket, "close");
    socket.resume();
    while (clock.pending === 0) await turn();
    for (let passed = 0; passed < 5_000; passed += 1_000) {
      assert.equal(socket.destroyed, false);
      socket.write("x");
      await clock.advance(1_000);
    }
    await end;
  });
});
