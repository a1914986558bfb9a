import { setTimeout as pause } from "node:timers/promises";

const giveUpAfterMs = 20_000;

/** Resolves once the condition holds. For what has no event; the pauses only keep the processor free. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  withinMs = giveUpAfterMs,
): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt)
      throw new Error(`Waited in vain until ${typeof what === "string" ? what : what()}`);
    await pause(5);
  }
}
