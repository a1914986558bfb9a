import { fromRpcErrorData } from "@porthole/tunnel/rpc";
import type { Runtime } from "@porthole/tunnel/rpc/daemon";
import type { Reporter } from "./reporter.ts";

/** The source of notifications: this process's runtime, or the connection to a running client. */
export type TunnelEvents = Pick<Runtime, "subscribe">;

/**
 * Shows what happens to the tunnels with these names. Resolves when all of them were stopped, or one of the signals aborts; rejects
 * when none is left and a relay has refused one.
 */
export function tunnelsAreOver(
  events: TunnelEvents,
  names: readonly string[],
  reporter: Reporter,
  ends: readonly AbortSignal[],
): Promise<void> {
  const running = new Set(names);
  const over = new Promise<void>((resolve, reject) => {
    let failure: Error | undefined;
    for (const end of ends) {
      if (end.aborted) resolve();
      end.addEventListener("abort", () => resolve(), { once: true });
    }
    events.subscribe({
      state({ id, state }) {
        if (!names.includes(id)) return;
        reporter.onState(id, state);
        if (!state.ended) return;
        if (state.ended.error) failure = fromRpcErrorData(state.ended.error);
        running.delete(id);
        if (running.size > 0) return;
        if (failure) reject(failure);
        else resolve();
      },
      visit({ id, visit }) {
        if (names.includes(id)) reporter.onVisit(id, visit);
      },
      request({ id, request }) {
        if (names.includes(id)) reporter.onRequest(id, request);
      },
      inspect: () => {},
      log: (line) => reporter.onLog(line),
    });
  });
  // A refusal may come before anybody waits.
  over.catch(() => {});
  return over;
}
