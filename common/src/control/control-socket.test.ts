import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import net from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { text } from "node:stream/consumers";
import type { PortholeError } from "../errors.ts";
import { asNobody } from "@porthole/testing/as-nobody";
import { FakeClock } from "@porthole/testing/fake-clock";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { connectControlSocket, openControlSocket, type ControlSocket } from "./control-socket.ts";

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

  const place = (stateDir = folder, program = "client") => ({ stateDir, program });

  /** What a program says to who connects; undefined when none runs. */
  async function ask(stateDir = folder): Promise<string | undefined> {
    const socket = await connectControlSocket(place(stateDir));
    return socket && text(socket);
  }

  function open(answer: string, stateDir = folder, program = "client"): Promise<ControlSocket> {
    const onConnection = (socket: net.Socket): void => void socket.end(answer);
    return openControlSocket({ ...place(stateDir, program), onConnection, inUseHint: "Use another one.", clock });
  }

  it("leads to the program that runs, until that ends", async () => {
    const control = await open("up");
    assert.equal(await ask(), "up");
    await control.close();
    assert.equal(await ask(), undefined);
  });

  it("says so when it is another user's", async function () {
    const control = await open("up");
    await chmod(folder, 0o000);
    await asNobody(this, () =>
      assert.rejects(ask(), { code: "state", message: `Can't read ${folder}/client.sock: no permission` }),
    );
    await chmod(folder, 0o700);
    await control.close();
  });

  it("lets one program of a kind use a state folder at a time", async () => {
    const control = await open("first");
    await assert.rejects(open("second"), { code: "state", hint: "Use another one." });
    assert.equal(await ask(), "first");
    await (await open("another kind", folder, "relay")).close();
    await control.close();
    await (await open("third")).close();
  });

  it("takes the place of a program that was killed", async () => {
    await writeFile(join(folder, "client.sock"), "");
    const control = await open("alive");
    assert.equal(await ask(), "alive");
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
      assert.equal(await ask(mounted), "alive");
      await control.close();
      await writeFile(join(mounted, "client.sock"), "");
      assert.ok(await succeeds("mount", "-o", "remount,ro", mounted));
      const errors: PortholeError[] = [];
      const without = await openControlSocket({
        ...{ stateDir: mounted, program: "client", inUseHint: "", clock, onConnection: () => {} },
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

  it("lets one of several programs take over a killed program's socket", async () => {
    for (let round = 0; round < 5; round++) {
      await writeFile(join(folder, "client.sock"), "");
      const opened = await Promise.allSettled([open("1"), open("2"), open("3")]);
      const controls = opened.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
      assert.equal(controls.length, 1, JSON.stringify(opened));
      assert.equal(await ask(), String(opened.findIndex(({ status }) => status === "fulfilled") + 1));
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
      assert.equal(await ask(deep), "deep");
      assert.ok((await stat(join(deep, "client.sock"))).isSocket());
      await assert.rejects(open("second", deep), { code: "state", hint: "Use another one." });
      await control.close();
      assert.deepEqual(await readdir(deep), []);
      assert.equal(await ask(deep), undefined);
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
    const control = await open("up");
    assert.equal((await stat(join(folder, "client.sock"))).mode & 0o777, 0o600);
    await asNobody(this, () => assert.rejects(ask(), { code: "state" }));
    await control.close();
  });

  it("is not used in a folder that everybody may write to", async function () {
    skipUnless(this, process.platform !== "win32", platformReason("this platform has no file modes"));
    for (const mode of [0o777, 0o1777, 0o702]) {
      await chmod(folder, mode);
      for (const attempt of [() => open("up"), () => ask()])
        await assert.rejects(attempt, {
          code: "state",
          message: /Everybody/,
          hint: new RegExp(`chmod go-w ${folder}`),
        });
    }
    await chmod(folder, 0o770);
    await (await open("up")).close();
  });

  it("disconnects more programs than it serves at once", async () => {
    const control = await openControlSocket({ ...place(), inUseHint: "", clock, onConnection: () => {} });
    const sockets = Array.from({ length: 40 }, () => net.connect(join(folder, "client.sock")).resume());
    const closed = sockets.map((socket) => socket.on("error", () => {}) && once(socket, "close"));
    for (let seen = 0; seen < 40 - 32; seen++)
      await Promise.race(closed.filter((_each, index) => !sockets[index]?.closed));
    await control.close();
    await Promise.all(closed);
  });
});
