import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { PortholeError } from "../errors.ts";
import { asNobody } from "@porthole/testing/as-nobody";
import { FakeClock } from "@porthole/testing/fake-clock";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { askControlSocket, followControlSocket, openControlSocket, type ControlSocket } from "./control-socket.ts";

async function succeeds(program: string, ...args: readonly string[]): Promise<boolean> {
  const [code] = (await once(spawn(program, args, { stdio: "ignore" }), "close")) as [number | null];
  return code === 0;
}

describe("control socket of a program", () => {
  let folder: string;
  let clock: FakeClock;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-control-"));
    clock = new FakeClock();
  });

  afterEach(async () => {
    assert.equal(clock.pending, 0);
    await rm(folder, { recursive: true });
  });

  const ask = (command: string, stateDir = folder) => askControlSocket({ stateDir, program: "client" }, command);

  function open(answer: unknown, stateDir = folder, program = "client"): Promise<ControlSocket> {
    const commands = { status: () => answer, stop: () => "stopping" };
    return openControlSocket({ stateDir, program, commands, inUseHint: "Use another one.", clock });
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
      clock,
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

  it("takes that place on a full disk, and does without a socket on a read-only one", async function () {
    const mounted = join(folder, "mounted");
    await mkdir(mounted);
    const isMounted =
      process.getuid?.() === 0 && (await succeeds("mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "none", mounted));
    skipUnless(this, isMounted, "a file system that is full takes root and mount");
    try {
      await writeFile(join(mounted, "client.sock"), "");
      await assert.rejects(writeFile(join(mounted, "rest"), Buffer.alloc(1024 * 1024)), { code: "ENOSPC" });
      const control = await open("alive", mounted);
      assert.equal(await ask("status", mounted), "alive");
      await control.close();
      await writeFile(join(mounted, "client.sock"), "");
      assert.ok(await succeeds("mount", "-o", "remount,ro", mounted));
      const errors: PortholeError[] = [];
      const without = await openControlSocket({
        ...{ stateDir: mounted, program: "client", commands: {}, inUseHint: "", clock },
        onUnusable: (error) => errors.push(error),
      });
      assert.deepEqual(
        errors.map(({ code }) => code),
        ["state"],
      );
      assert.match(errors[0]?.message ?? "", /read-only/);
      await without.close();
    } finally {
      await succeeds("umount", mounted);
    }
  });

  it("lets one of those who find a killed program's socket take its place", async () => {
    for (let round = 0; round < 5; round++) {
      await writeFile(join(folder, "client.sock"), "");
      const opened = await Promise.allSettled([open(1), open(2), open(3)]);
      const controls = opened.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      assert.equal(controls.length, 1, JSON.stringify(opened));
      assert.equal(await ask("status"), opened.findIndex(({ status }) => status === "fulfilled") + 1);
      await controls[0]?.close();
    }
    assert.deepEqual(await readdir(folder), []);
  });

  it("is in the folder also when the folder's path is too long for a socket", async () => {
    const { TMPDIR } = process.env;
    process.env["TMPDIR"] = folder;
    try {
      const deep = join(folder, "d".repeat(100));
      const control = await open("deep", deep);
      assert.equal(await ask("status", deep), "deep");
      assert.ok((await stat(join(deep, "client.sock"))).isSocket());
      await assert.rejects(open("second", deep), { code: "state", hint: "Use another one." });
      await control.close();
      assert.deepEqual(await readdir(deep), []);
      assert.equal(await ask("status", deep), undefined);
      await writeFile(join(deep, "client.sock"), "");
      await (await open("third", deep)).close();
      assert.deepEqual(await readdir(folder), [basename(deep)]);
    } finally {
      if (TMPDIR === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = TMPDIR;
    }
  });

  it("is for its user alone, whatever the folder's mode", async function () {
    await chmod(folder, 0o755);
    const control = await open({ is: "up" });
    assert.equal((await stat(join(folder, "client.sock"))).mode & 0o777, 0o600);
    await asNobody(this, () => assert.rejects(ask("status"), { code: "state" }));
    await control.close();
  });

  it("is not used in a folder that everybody may write to", async function () {
    skipUnless(this, process.platform !== "win32", platformReason("this platform has no file modes"));
    for (const mode of [0o777, 0o1777, 0o702]) {
      await chmod(folder, mode);
      for (const attempt of [() => open("up"), () => ask("status")])
        await assert.rejects(attempt, {
          code: "state",
          message: /Everybody/,
          hint: new RegExp(`chmod go-w ${folder}`),
        });
    }
    await chmod(folder, 0o770);
    await (await open("up")).close();
  });

  describe("with somebody who does not ask as one should", () => {
    let control: ControlSocket;
    let socket: net.Socket;
    let answer: string;

    beforeEach(async () => {
      control = await open("up");
      socket = net.connect(join(folder, "client.sock"));
      answer = "";
      socket.setEncoding("utf8").on("data", (chunk: string) => (answer += chunk));
      socket.on("error", () => {});
      await once(socket, "connect");
    });
    afterEach(() => control.close());

    it("gives up one whose command does not come to an end in time", async () => {
      const end = once(socket, "close");
      while (clock.pending === 0) await turn();
      for (let passed = 0; passed < 5_000; passed += 1_000) {
        assert.equal(socket.destroyed, false);
        socket.write("x");
        await clock.advance(1_000);
      }
      await end;
      assert.equal(answer, "");
    });

    it("takes so many bytes of a command and no more", async () => {
      const end = once(socket, "close");
      const block = Buffer.alloc(1024 * 1024, "x");
      let sent = 0;
      for (const isAnswered = () => answer !== ""; sent < 200 && !isAnswered(); sent++)
        if (!socket.write(block)) await Promise.race([once(socket, "drain"), once(socket, "data")]);
      assert.match(answer, /^\{"\$error":\{"code":"limit"/);
      assert.ok(sent < 100, `${sent} MiB`);
      socket.end();
      await end;
    });

    it("takes the first line, in whatever pieces it comes, and nothing after it", async () => {
      const end = once(socket, "close");
      for (const piece of ["st", "at", "us\r\nstop\nsto"]) {
        socket.write(piece);
        await turn();
      }
      await end;
      assert.equal(answer, '"up"\n');
    });
  });
});
