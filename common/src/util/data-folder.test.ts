import assert from "node:assert/strict";
import { homedir, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";
import { dataFolder, homeFolder } from "./data-folder.ts";

describe("the data folder", () => {
  const windows = join(homedir(), "AppData", "Local", "x");
  const mac = join(homedir(), "Library", "Application Support", "x");
  const linux = join(homedir(), ".local", "share", "x");
  const cases: Readonly<Partial<Record<NodeJS.Platform, readonly (readonly [NodeJS.ProcessEnv, string])[]>>> = {
    win32: [
      [{ LOCALAPPDATA: "C:\\Data" }, join("C:\\Data", "x")],
      [{ LOCALAPPDATA: "Data" }, windows],
      [{ LOCALAPPDATA: "" }, windows],
      [{}, windows],
    ],
    darwin: [[{ XDG_DATA_HOME: "/data" }, mac]],
    linux: [
      [{ XDG_DATA_HOME: "/data" }, "/data/x"],
      // The XDG Base Directory Specification: relative paths are invalid and ignored; an empty one is as if not set.
      [{ XDG_DATA_HOME: "data" }, linux],
      [{ XDG_DATA_HOME: "./data" }, linux],
      [{ XDG_DATA_HOME: "~/data" }, linux],
      [{ XDG_DATA_HOME: "" }, linux],
      [{}, linux],
    ],
  };
  for (const [env, folder] of cases[process.platform] ?? [])
    it(`is ${folder} with ${JSON.stringify(env)}`, () => assert.equal(dataFolder("x", env), folder));
});

describe("the home folder", () => {
  const name = process.platform === "win32" ? "USERPROFILE" : "HOME";
  const before = process.env[name];
  afterEach(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });

  for (const home of ["", "relative", "~", "."])
    it(`is the user database's with ${name}=${JSON.stringify(home)}`, () => {
      process.env[name] = home;
      assert.equal(homeFolder(), userInfo().homedir);
      assert.ok(isAbsolute(dataFolder("x", {})));
    });

  it(`is ${name} where that is an absolute path`, () => {
    const folder = process.platform === "win32" ? "C:\\Home" : "/home/somebody";
    process.env[name] = folder;
    assert.equal(homeFolder(), folder);
  });
});
