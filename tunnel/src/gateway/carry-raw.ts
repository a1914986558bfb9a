import type { Duplex } from "node:stream";
import { PortholeError } from "@porthole/common/errors";
import { splice } from "@porthole/common/util";
import type { UnreadAnswers } from "./unread-answers.ts";
import { unsentOf, type VisitorStream } from "./visitors/visitor.ts";

/** Carries bytes that nobody reads, until both sides are through or `until` aborts. Never rejects. */
export function carryRaw(
  visitor: VisitorStream,
  service: Duplex,
  { until, unread }: { readonly until: AbortSignal | undefined; readonly unread: UnreadAnswers },
): Promise<{ readonly error?: PortholeError }> {
  return new Promise((resolve) => {
    const stopWatching = unread.watch({
      get unreadBytes() {
        return visitor.destroyed ? 0 : unsentOf(visitor);
      },
      get takenBytes() {
        return (visitor.bytesWritten ?? 0) - unsentOf(visitor);
      },
      giveUp: (error) => void visitor.destroy(error),
    });
    const end = (): void =>
      void visitor.destroy(new PortholeError("unauthorized", "What had let this visitor in has ended"));
    until?.addEventListener("abort", end, { once: true });
    service.on("data", (chunk: Buffer) => unread.written(chunk.length));
    splice(visitor, service, ({ error }) => {
      until?.removeEventListener("abort", end);
      stopWatching();
      resolve(error ? { error } : {});
    });
    if (until?.aborted) end();
  });
}
