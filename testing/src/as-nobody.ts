import { platformReason, skipUnless } from "./skip.ts";

/** Any user but root will do; this is the one that Linux and macOS call nobody, or its like. */
const nobody = 65_534;

/** Runs as a user to whom permissions apply. Root passes every check, so as root a test of a refusal would test nothing. */
export async function asNobody(context: Mocha.Context, run: () => Promise<void>): Promise<void> {
  skipUnless(context, process.seteuid && process.geteuid, platformReason("this platform has no file modes"));
  const before = process.geteuid();
  if (before !== 0) return run();
  process.seteuid(nobody);
  try {
    await run();
  } finally {
    process.seteuid(before);
  }
}
