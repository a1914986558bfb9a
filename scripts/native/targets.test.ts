import assert from "node:assert/strict";
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

  it("have the name that the engine's loader asks for here", () => {
    const here = `${process.platform}-${process.arch}`;
    const named = nativeTargets.filter(({ os, cpu }) => os === process.platform && cpu === process.arch);
    for (const { name } of named) assert.match(name, new RegExp(`^${here}(-gnu|-musl)?$`));
  });
});
