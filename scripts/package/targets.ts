/** Where the editor runs, as `vsce` names it, and the package with QUIC's native code for it. */
export interface Target {
  /** Undefined: goes everywhere, without native code. The editor takes it where no other fits. */
  readonly name: string | undefined;
  readonly native: string | undefined;
}

/** Every package that there is. */
export const targets: readonly Target[] = [
  ...["linux-x64", "win32-x64", "darwin-x64", "darwin-arm64"].map((name) => ({
    name,
    native: `@matrixai/quic-${name}`,
  })),
  // There is no native code for these: HTTP/2 only, as everywhere else.
  ...["linux-arm64", "linux-armhf", "alpine-x64", "alpine-arm64", "win32-arm64"].map((name) => ({
    name,
    native: undefined,
  })),
  { name: undefined, native: undefined },
];

export function labelOf({ name }: Target): string {
  return name ?? "universal";
}
