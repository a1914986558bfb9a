/** A platform with a package of the native QUIC engine, and how its code is built. */
export interface NativeTarget {
  /** The package is `@porthole/quic-NAME`; common/src/link/quic/native/binding.ts looks for it. */
  readonly name: string;
  readonly triple: string;
  /** As npm knows them: it installs a package only where they fit. */
  readonly os: string;
  readonly cpu: string;
  readonly libc?: "glibc" | "musl";
  /** Whether somebody has run it; `auto` takes the engine on Linux only. */
  readonly isTried: boolean;
}

const linux = (cpu: "x64" | "arm64", libc: "glibc" | "musl", isTried: boolean): NativeTarget => {
  const [kind, triple] = libc === "glibc" ? ["gnu", "gnu.2.17"] : ["musl", "musl"];
  return {
    name: `linux-${cpu}-${kind}`,
    triple: `${cpu === "x64" ? "x86_64" : "aarch64"}-unknown-linux-${triple}`,
    ...{ os: "linux", cpu, libc, isTried },
  };
};

export const nativeTargets: readonly NativeTarget[] = [
  linux("x64", "glibc", true),
  linux("x64", "musl", false),
  linux("arm64", "glibc", false),
  linux("arm64", "musl", false),
  { name: "darwin-x64", triple: "x86_64-apple-darwin", os: "darwin", cpu: "x64", isTried: false },
  { name: "darwin-arm64", triple: "aarch64-apple-darwin", os: "darwin", cpu: "arm64", isTried: false },
  { name: "win32-x64", triple: "x86_64-pc-windows-gnu", os: "win32", cpu: "x64", isTried: false },
];

/** The package's package.json. */
export function nativeManifest({ name, os, cpu, libc, isTried }: NativeTarget, version: string): object {
  return {
    name: `@porthole/quic-${name}`,
    version,
    description: `Porthole's native QUIC engine for ${name}${isTried ? "" : " (built, and not yet run by its makers)"}`,
    license: "MIT",
    repository: { type: "git", url: "git+https://github.com/porthole/porthole.git", directory: "native" },
    main: "porthole-quic.node",
    files: ["porthole-quic.node", "NOTICES"],
    ...{ os: [os], cpu: [cpu] },
    ...(libc && { libc: [libc] }),
  };
}
