import assert from "node:assert/strict";
import { homedir } from "node:os";
import { join } from "node:path";
import { dataFolder } from "./data-folder.ts";

describe("the data folder", () => {
  const expected: Readonly<Partial<Record<NodeJS.Platform, readonly [NodeJS.ProcessEnv, string, string]>>> = {
    win32: [{ LOCALAPPDATA: "C:\\Data" }, join("C:\\Data", "x"), join(homedir(), "AppData", "Local", "x")],
    darwin: [
      {},
      join(homedir(), "Library", "Application Support", "x"),
      join(homedir(), "Library", "Application Support", "x"),
    ],
  };
  const xdg = [{ XDG_DATA_HOME: "/data" }, "/data/x", join(homedir(), ".local", "share", "x")] as const;
  const [env, given, fallback] = expected[process.platform] ?? xdg;

  it("is the platform's, and where the environment says so another", () => {
    assert.equal(dataFolder("x", env), given);
    assert.equal(dataFolder("x", {}), fallback);
  });
});
