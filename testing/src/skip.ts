/** Why a test can't run on this machine, however much is installed: counted as skipped even in CI. */
export interface PlatformReason {
  readonly platform: string;
}

/** Marks a reason that nobody can install away: `platformReason("Windows has no file modes")`. */
export function platformReason(why: string): PlatformReason {
  return { platform: why };
}

/** The reason why there is no QUIC: the platform's where no binary exists, something missing where one does. */
export function quicReason(why: string): string | PlatformReason {
  const built = ["linux-x64", "darwin-x64", "darwin-arm64", "win32-x64"];
  return built.includes(`${process.platform}-${process.arch}`) ? why : platformReason(why);
}

const reasons = new WeakMap<Mocha.Test | Mocha.Suite, string>();

/**
 * Skips the running test, or from a `before` hook its whole suite, unless the condition holds.
 * The reason is printed at the end of the run. CI has every part that can be installed, so there a missing one is a failure.
 */
export function skipUnless(
  context: Mocha.Context,
  condition: unknown,
  reason: string | PlatformReason,
): asserts condition {
  if (condition) return;
  const text = typeof reason === "string" ? reason : reason.platform;
  if (typeof reason === "string" && isCi()) throw new Error(`Nothing may be missing in CI: ${text}`);
  const owner = skipped(context);
  if (owner) reasons.set(owner, text);
  context.skip();
}

/** What `skipUnless` was told about a test that was skipped, or undefined when it was skipped in another way. */
export function skipReason(test: Mocha.Test): string | undefined {
  const own = reasons.get(test);
  if (own !== undefined) return own;
  for (let suite = test.parent; suite; suite = suite.parent) {
    const inherited = reasons.get(suite);
    if (inherited !== undefined) return inherited;
  }
  return undefined;
}

export function isCi(): boolean {
  return process.env["CI"] !== undefined && !["", "0", "false"].includes(process.env["CI"]);
}

/** A `before` hook skips its suite; a `beforeEach` hook and a test skip one test. */
function skipped(context: Mocha.Context): Mocha.Test | Mocha.Suite | undefined {
  const runnable = context.runnable();
  if ((runnable as Mocha.Runnable & { readonly type?: string }).type !== "hook") return runnable as Mocha.Test;
  return runnable.title.startsWith('"before all"') ? runnable.parent : context.currentTest;
}
