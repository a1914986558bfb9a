import { buildNative } from "./native/build.ts";

/** `npm run build:native`: the native QUIC engine of this machine, with all optimizations. It needs Rust (https://rustup.rs). */
const outcome = buildNative("release");
console.log(outcome.built ? "Built native/porthole-quic.node" : `The native QUIC engine was not built: ${outcome.why}`);
process.exitCode = outcome.built ? 0 : 1;
