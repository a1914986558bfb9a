import { spawnSync } from "node:child_process";
import { copyFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const crate = join(root, "native");
/** Shared by all checkouts of a user: what the engine is built on takes a minute, and changes rarely. */
const targetFolder =
  process.env["CARGO_TARGET_DIR"] ??
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "porthole", "native");

/** `fast` is for tests, `release` for use: it is a tenth faster, and takes three times as long to build. */
export type Profile = "fast" | "release";
export type Outcome = { readonly built: true } | { readonly built: false; readonly why: string };

const libraries: Partial<Record<NodeJS.Platform, string>> = {
  darwin: "libporthole_quic.dylib",
  win32: "porthole_quic.dll",
};

/**
 * Builds the native QUIC engine for this machine into native/porthole-quic.node. Where there is no Rust, or its packages can't be
 * fetched, it is not built, which is no fault: QUIC then has its other engine. Throws when the code does not compile.
 */
export function buildNative(profile: Profile): Outcome {
  if (cargo(["--version"], "ignore") !== 0) return { built: false, why: "there is no cargo" };
  if (cargo(["fetch", "--locked"], "ignore") !== 0)
    return { built: false, why: "its packages can't be fetched from the registry of Rust" };
  const args = ["build", "--locked", "--profile", profile, "--target-dir", targetFolder];
  if (cargo(args, "inherit") !== 0) throw new Error("The native QUIC engine does not compile");
  const library = join(targetFolder, profile, libraries[process.platform] ?? "libporthole_quic.so");
  const place = join(crate, "porthole-quic.node");
  // Renamed into its place: a process that has the old one open keeps it.
  copyFileSync(library, `${place}.new`);
  renameSync(`${place}.new`, place);
  return { built: true };
}

function cargo(args: readonly string[], output: "inherit" | "ignore"): number | null {
  const env = { ...process.env, CARGO_TERM_QUIET: "true" };
  return spawnSync("cargo", args, { cwd: crate, env, stdio: ["ignore", output, output] }).status;
}
