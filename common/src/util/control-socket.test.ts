import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PortholeError } from "../errors.ts";
import { asNobody } from "../testing/as-nobody.ts";
import { askControlSocket, followControlSocket, openControlSocket, type ControlSocket } from "./control-socket.ts";

describe("control socket of a program", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-control-"));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const ask = (command: string, stateDir = folder) => askControlSocket({ stateDir, program: "client" }, command);

  function open(answer: unknown, stateDir = folder, program = "client"): Promise<ControlSocket> {
    const commands = { status: () => answer, stop: () => "stopping" };
    return openControlSocket({ stateDir, program, commands, inUseHint: "Use another one." });
  }

  it("answers commands, and nothing else", async () => {
    const control = await open({ is: "up" });
    assert.deepEqual(await ask("status"), { is: "up" });
    assert.equal(await ask("stop"), "stopping");
    for (const command of ["restart", "constructor", "__proto__"]) assert.equal(await ask(command), undefined);
    const socket = net.connect(join(folder, "client.sock"));
    socket.write("GET / HTTP/1.1\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    await control.close();
    assert.equal(await ask("status"), undefined);
  });

  it("says so when it is another user's", async function () {
    const control = await open({ is: "up" });
    await chmod(folder, 0o000);
    await asNobody(this, () =>
      assert.rejects(ask("status"), { code: "state", message: `Can't read ${folder}/client.sock: no permission` }),
    );
    await chmod(folder, 0o700);
    await control.close();
  });

  it("takes parameters, answers errors, and is followed until somebody leaves", async () => {
    let onLeft = (_reason: unknown): void => {};
    const left = new Promise((resolve) => (onLeft = resolve));
    const control = await openControlSocket({
      stateDir: folder,
      program: "client",
      inUseHint: "",
      commands: {
        double: (params) => Promise.resolve((params as { n: number }).n * 2),
        echo: (params) => params,
        fail: () => {
          throw new PortholeError("usage", "No such\nthing", { hint: "Ask for another." });
        },
        count: (params, { send, signal }) => {
          for (let n = 1; n <= Number(params); n++) send({ n });
          return new Promise((resolve) => {
            signal.addEventListener("abort", () => {
              onLeft(signal.reason);
              resolve(undefined);
            });
          });
        },
      },
    });
    const place = { stateDir: folder, program: "client" };
    assert.equal(await askControlSocket(place, "double", { n: 21 }), 42);
    const long = "ü\n".repeat(1_000_000);
    assert.equal(await askControlSocket(place, "echo", long), long);
    await assert.rejects(askControlSocket(place, "fail"), {
      code: "usage",
      message: "No such\nthing",
      hint: "Ask for another.",
    });
    const stop = new AbortController();
    const seen: unknown[] = [];
    for await (const line of followControlSocket(place, "count", { params: 3, signal: stop.signal })) {
      seen.push(line);
      if (seen.length === 3) stop.abort();
    }
    assert.deepEqual(seen, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.equal(PortholeError.from(await left).code, "closed");
    await control.close();
    assert.deepEqual(await followControlSocket(place, "count").next(), { value: undefined, done: true });
  });

  it("lets one program of a kind use a state folder at a time", async () => {
    const control = await open("first");
    await assert.rejects(open("second"), { code: "state", hint: "Use another one." });
    assert.equal(await ask("status"), "first");
    await (await open("another kind", folder, "relay")).close();
    await control.close();
    await (await open("third")).close();
  });

  it("takes the place of a program that was killed", async () => {
    await writeFile(join(folder, "client.sock"), "");
    const control = await open("alive");
    assert.equal(await ask("status"), "alive");
    await control.close();
  });

  it("goes elsewhere when the folder's path is too long for a socket", async () => {
    const deep = join(folder, "d".repeat(100));
    const control = await open("deep", deep);
    assert.equal(await ask("status", deep), "deep");
    await control.close();
    await assert.rejects(stat(join(deep, "client.sock")), { code: "ENOENT" });
  });
});
