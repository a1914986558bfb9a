import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PortholeError } from "../errors.ts";
import { asNobody } from "@porthole/testing/as-nobody";
import { platformReason, skipUnless } from "@porthole/testing/skip";
import { createFileAtomic, readFileIfExists, readJson, stateError, writeFileAtomic, writeJson } from "./state-file.ts";

const isWindows = process.platform === "win32";

function state(text: RegExp): (thrown: PortholeError) => boolean {
  return (thrown) => {
    assert.equal(thrown.code, "state");
    assert.match(thrown.message, text);
    assert.ok(thrown.hint);
    return true;
  };
}

function validate(value: unknown): number {
  if (typeof value === "number") return value;
  throw new Error("it is not a number");
}

describe("state files", () => {
  let folder: string;
  let path: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "porthole-state-"));
    path = join(folder, "a", "b", "state.json");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("are written with their folders, for nobody else to read", async () => {
    await writeFileAtomic(path, "one");
    assert.equal(await readFile(path, "utf8"), "one");
    if (isWindows) return;
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    for (const each of ["a", "a/b"]) assert.equal((await stat(join(folder, each))).mode & 0o777, 0o700);
  });

  it("get the mode that was asked for, whatever the umask and the old file's", async function () {
    skipUnless(this, !isWindows, platformReason("Windows has no file modes"));
    const before = process.umask(0o077);
    try {
      await writeFileAtomic(path, "one", { mode: 0o644 });
      assert.equal((await stat(path)).mode & 0o777, 0o644);
      await writeFileAtomic(path, "two");
      assert.equal((await stat(path)).mode & 0o777, 0o600);
    } finally {
      process.umask(before);
    }
  });

  it("are never seen half written", async () => {
    const contents = ["a", "b"].map((letter) => letter.repeat(200_000));
    await writeFileAtomic(path, contents[0] ?? "");
    const progress = { done: false };
    const writer = (async () => {
      for (let round = 0; round < 20; round++) await writeFileAtomic(path, contents[round % 2] ?? "");
      progress.done = true;
    })();
    while (!progress.done) assert.ok(contents.includes(await readFile(path, "utf8")));
    await writer;
    assert.deepEqual(await readdir(join(folder, "a", "b")), ["state.json"]);
  });

  it("leave nothing behind when writing fails", async () => {
    await mkdir(path, { recursive: true });
    await assert.rejects(writeFileAtomic(path, "x"), state(/Can't write .*state\.json/));
    assert.deepEqual(await readdir(join(folder, "a", "b")), ["state.json"]);
  });

  it("keep their old content when the folder may not be written", async function () {
    await writeFileAtomic(path, "old");
    await chmod(join(folder, "a", "b"), 0o500);
    await asNobody(this, () => assert.rejects(writeFileAtomic(path, "new"), state(/no permission/)));
    assert.equal(await readFile(path, "utf8"), "old");
    await chmod(join(folder, "a", "b"), 0o700);
  });

  it("are an error at once where no folder can be made", async function () {
    skipUnless(this, process.platform === "linux", platformReason("needs /proc"));
    await assert.rejects(
      writeFileAtomic("/proc/porthole/state.json", ""),
      state(/\/proc\/porthole\/state\.json: it does/),
    );
  });

  it("name the cause and what to do", async () => {
    await writeFile(join(folder, "file"), "");
    await assert.rejects(writeFileAtomic(join(folder, "file", "x"), ""), state(/is a file, not a folder/));
    const cases: readonly [string, RegExp][] = [
      ["ENOSPC", /Can't write \/x: the disk is full/],
      ["EROFS", /read-only/],
      ["EACCES", /no permission/],
    ];
    for (const [code, text] of cases) {
      const error = stateError("write", "/x", Object.assign(new Error("raw"), { code }));
      assert.ok(state(text)(error));
    }
    assert.equal(stateError("read", "/x", Object.assign(new Error(), { code: "EIO" })).message, "Can't read /x: EIO");
  });

  it("are made by exactly one of many", async () => {
    const won = await Promise.all(Array.from({ length: 20 }, (_, index) => createFileAtomic(path, String(index))));
    assert.equal(won.filter(Boolean).length, 1);
    assert.equal(await readFile(path, "utf8"), String(won.indexOf(true)));
    assert.deepEqual(await readdir(join(folder, "a", "b")), ["state.json"]);
  });

  it("that are missing are undefined; other troubles are errors", async () => {
    assert.equal(await readFileIfExists(path), undefined);
    await writeFile(join(folder, "file"), "12345");
    await assert.rejects(readFileIfExists(join(folder, "file", "x")), state(/is a file, not a folder/));
    await assert.rejects(readFileIfExists(folder), state(/is a folder, not a file/));
    await assert.rejects(readFileIfExists(join(folder, "file"), { maxBytes: 4 }), state(/has 5 bytes/));
  });

  it("hold JSON that is checked when it is read", async () => {
    assert.equal(await readJson(path, validate), undefined);
    await writeJson(path, 7);
    assert.equal(await readJson(path, validate), 7);
    await writeJson(path, { a: [1] });
    assert.equal(await readFile(path, "utf8"), '{\n  "a": [\n    1\n  ]\n}\n');
    await assert.rejects(readJson(path, validate), state(/state\.json is damaged: it is not a number/));
    for (const damage of ["", '{"a":', "\0\0\0\0"]) {
      await writeFile(path, damage);
      await assert.rejects(readJson(path, validate), state(/state\.json is damaged/));
    }
  });
});
