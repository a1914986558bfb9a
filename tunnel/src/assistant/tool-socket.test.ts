import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectControlSocket, type ControlSocket } from "@porthole/common/control";
import { PortholeError } from "@porthole/common/errors";
import { systemClock as clock } from "@porthole/common/util";
import { callTool, serveTools, type RunTool } from "./tool-socket.ts";

describe("tools over a socket", () => {
  let folder: string;
  let served: ControlSocket;
  let run: RunTool;
  const never = new AbortController().signal;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-tools-"));
    run = async (name, input) => `${name} ${JSON.stringify(input)}`;
    served = await serveTools((...args) => run(...args), { folder, clock });
  });
  afterEach(async () => {
    await served.close();
    await rm(folder, { recursive: true });
  });

  const call = (input: unknown, signal = never) => callTool({ name: "echo", input }, { folder, clock }, signal);

  it("run side by side, each with its own answer", async () => {
    const long = "ä\n".repeat(100_000);
    const answers = await Promise.all([call({ a: 1 }), call({ long }), call(null)]);
    assert.deepEqual(answers, ['echo {"a":1}', `echo ${JSON.stringify({ long })}`, "echo null"]);
  });

  it("reject with what failed there", async () => {
    run = () => Promise.reject(new PortholeError("usage", "No port is exposed", { hint: "Expose one." }));
    await assert.rejects(call({}), { code: "usage", message: "No port is exposed", hint: "Expose one." });
  });

  it("end when the caller cancels", async () => {
    const abort = new AbortController();
    let cancelled: Promise<unknown> | undefined;
    run = async (_name, _input, signal) => {
      cancelled = once(signal, "abort");
      abort.abort(new PortholeError("aborted", "Enough"));
      await cancelled;
      throw PortholeError.from(signal.reason);
    };
    await assert.rejects(call({}, abort.signal), { code: "aborted", message: "Enough" });
    await cancelled;
  });

  for (const [what, text] of [
    ["no JSON", "hello\n"],
    ["no line", ""],
    ["too much", `${"x".repeat(5 * 1024 * 1024)}\n`],
  ] as const)
    it(`survive a caller that says ${what}`, async () => {
      const socket =
        (await connectControlSocket({ stateDir: folder, program: "assistant" })) ?? assert.fail("no socket");
      socket.resume().end(text);
      await once(socket, "close");
      assert.equal(await call(1), "echo 1");
    });

  it("say that the window has ended", async () => {
    await served.close();
    await assert.rejects(call({}), { code: "closed" });
    served = await serveTools(run, { folder, clock });
  });
});
