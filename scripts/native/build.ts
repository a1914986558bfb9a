import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { nativeManifest, type NativeTarget } from "./targets.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const crate = join(root, "native");
/** Shared by all checkouts of a user: what the engine is built on takes a minute, and changes rarely. */
const cacheFolder = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
const targetFolder = process.env["CARGO_TARGET_DIR"] ?? join(cacheFolder, "porthole", "native");

/** `fast` is for tests, `release` for use: it is a little faster, and takes longer to build. */
export type Profile = "fast" | "release";
export type Outcome = { readonly built: true } | { readonly built: false; readonly why: string };

/**
 * Builds the native QUIC engine for this machine into native/porthole-quic.node. Where there is no Rust, or its packages can't be
 * fetched, it is not built, which is no fault: QUIC then has its other engine. Throws when the code does not compile.
 */
export function buildNative(profile: Profile): Outcome {
  const why = whyNot();
  if (why !== undefined) return { built: false, why };
  if (cargo(["build", "--locked", "--profile", profile, "--target-dir", targetFolder], "inherit") !== 0)
    throw new Error("The native QUIC engine does not compile");
  const place = join(crate, "porthole-quic.node");
  // Renamed into its place: a process that has the old one open keeps it.
  copyFileSync(join(targetFolder, profile, libraryOf(process.platform)), `${place}.new`);
  renameSync(`${place}.new`, place);
  return { built: true };
}

/** Builds the package for another platform, by cargo-zigbuild, into a folder that npm can pack. Throws when it can't. */
export function buildPackage(target: NativeTarget, folder: string, version: string): void {
  // Node brings the C library that the engine has to share.
  const flags = target.libc === "musl" ? { RUSTFLAGS: "-C target-feature=-crt-static" } : {};
  const args = ["zigbuild", "--locked", "--release", "--target", target.triple, "--target-dir", targetFolder];
  if (cargo(args, "inherit", flags) !== 0) throw new Error(`The native QUIC engine can't be built for ${target.name}`);
  mkdirSync(folder, { recursive: true });
  const triple = target.triple.replace(/\.\d.*$/, "");
  copyFileSync(join(targetFolder, triple, "release", libraryOf(target.os)), join(folder, "porthole-quic.node"));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(nativeManifest(target, version), undefined, 2)}\n`);
  writeFileSync(join(folder, "NOTICES"), notices());
}

/** The checks of the Rust code itself: its format, clippy, and its tests, with what `cargo` says of it. Undefined where there is no Rust. */
export function checkNative(): boolean | undefined {
  if (whyNot() !== undefined) return undefined;
  const built = ["--locked", "--profile", "fast", "--target-dir", targetFolder];
  return [
    ["fmt", "--check"],
    ["clippy", ...built, "--all-targets", "--", "-D", "warnings"],
    ["test", ...built],
  ].every((args) => cargo(args, "inherit") === 0);
}

/** As in native/Cargo.toml. */
const oldest = [1, 88] as const;

/** Whether "cargo 1.95.0 (...)" is one that knows the edition of the crate, and all that it uses. */
export function isRecent(version: string): boolean {
  const [, major = 0, minor = 0] = (/^cargo (\d+)\.(\d+)\./.exec(version) ?? []).map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

/** Why nothing can be built here. */
function whyNot(): string | undefined {
  const { stdout, error } = spawnSync("cargo", ["--version"], { cwd: crate, encoding: "utf8" });
  if (error) return "there is no cargo";
  if (!isRecent(stdout)) return `it needs Rust ${oldest.join(".")} or later, and this is ${stdout.trim() || "none"}`;
  // What links the code, and the little C and assembly of ring.
  if (process.platform !== "win32" && spawnSync("cc", ["--version"]).error) return "there is no C compiler";
  return cargo(["fetch", "--locked"], "ignore") === 0 ? undefined : "the registry of Rust can't be reached";
}

/** What is linked into the engine, with its terms. */
function notices(): string {
  const args = ["tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p} ({l})"];
  const { stdout } = spawnSync("cargo", args, { cwd: crate, encoding: "utf8" });
  const packages = [...new Set(stdout.split("\n").map((line) => line.replace(/ \(\/.*?\)| \(\*\)/g, "")))];
  return `The binary has these Rust packages in it, under their own terms:\n\n${packages.sort().join("\n").trim()}\n`;
}

function libraryOf(os: string): string {
  if (os === "win32") return "porthole_quic.dll";
  return `libporthole_quic.${os === "darwin" ? "dylib" : "so"}`;
}

function cargo(args: readonly string[], output: "inherit" | "ignore", env: Record<string, string> = {}): number | null {
  const options = { cwd: crate, env: { ...process.env, CARGO_TERM_QUIET: "true", ...env } };
  return spawnSync("cargo", args, { ...options, stdio: ["ignore", output, output] }).status;
}
