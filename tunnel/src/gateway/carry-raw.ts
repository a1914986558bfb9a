import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { splice } from "@porthole/common/util";

/** Carries bytes that nobody reads, until both sides are through or `until` aborts. Never rejects. */
export function carryRaw(
  visitor: Duplex,
  service: Duplex,
  until: AbortSignal | undefined,
): Promise<{ readonly error?: PortholeError }> {
  return new Promise((resolve) => {
    const end = (): void =>
      void visitor.destroy(new PortholeError("unauthorized", "What had let this visitor in has ended"));
    until?.addEventListener("abort", end, { once: true });
    splice(visitor, service, ({ error }) => {
      until?.removeEventListener("abort", end);
      resolve(error ? { error } : {});
    });
    if (until?.aborted) end();
  });
}
