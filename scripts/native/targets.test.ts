import assert from "node:assert/strict";
import { isRecent } from "./build.ts";
import { nativeManifest, nativeTargets } from "./targets.ts";

describe("packages of the native QUIC engine", () => {
  it("are for one platform each, which npm can tell", () => {
    const places = nativeTargets.map((target) => {
      const manifest = nativeManifest(target, "1.2.3") as Record<string, unknown>;
      assert.equal(manifest["name"], `@porthole/quic-${target.name}`);
      assert.equal(manifest["main"], "porthole-quic.node");
      return JSON.stringify([manifest["os"], manifest["cpu"], manifest["libc"]]);
    });
    assert.equal(new Set(places).size, nativeTargets.length);
  });

  it("are built by a Rust that knows the crate's edition, and by no older one", () => {
    const versions = [
      "cargo 1.63.0",
      "cargo 1.87.0 (x)",
      "cargo 1.88.0",
      "cargo 1.95.0 (f2d3 2026)",
      "cargo 2.0.0",
      "",
    ];
    assert.deepEqual(versions.map(isRecent), [false, false, true, true, true, false]);
  });

  it("have the name that the engine's loader asks for here", () => {
    const here = `${process.platform}-${process.arch}`;
    const named = nativeTargets.filter(({ os, cpu }) => os === process.platform && cpu === process.arch);
    for (const { name } of named) assert.match(name, new RegExp(`^${here}(-gnu|-musl)?$`));
  });
});
