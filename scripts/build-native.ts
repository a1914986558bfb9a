import { readFileSync } from "node:fs";
import { buildNative, buildPackage } from "./native/build.ts";
import { nativeTargets } from "./native/targets.ts";

/**
 * `npm run build:native`: the native QUIC engine of this machine, with all optimizations. It needs Rust (https://rustup.rs).
 * `npm run build:native -- linux-arm64-gnu ...`, or `all`: packages for other platforms in dist/native, by `cargo zigbuild`
 * (`pip install ziglang cargo-zigbuild`, and `rustup target add` for each).
 */
const names = process.argv.slice(2);
if (names.length === 0) {
  const outcome = buildNative("release");
  console.log(outcome.built ? "Built native/porthole-quic.node" : `The native engine was not built: ${outcome.why}`);
  process.exitCode = outcome.built ? 0 : 1;
} else {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly version: string };
  const wanted = nativeTargets.filter(({ name }) => names.includes(name) || names.includes("all"));
  if (wanted.length === 0)
    throw new Error(`There is no such target, only ${nativeTargets.map(({ name }) => name).join(", ")}`);
  for (const target of wanted) {
    buildPackage(target, `dist/native/quic-${target.name}`, version);
    console.log(`Built dist/native/quic-${target.name}`);
  }
}
