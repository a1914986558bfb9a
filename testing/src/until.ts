import { setTimeout as pause } from "node:timers/promises";

/** Against what never comes; a machine that is busy with something else makes everything take its time. */
const giveUpAfterMs = 60_000;

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
