import { PortholeError } from "@porthole/common/errors";
import { fromRpcErrorData } from "@porthole/tunnel/rpc";
import type { Clock } from "@porthole/common/util";
import type { Controller } from "./controller.ts";
import { endpointOf, failureOf, urlOf, type Exposure } from "./exposure.ts";

const patienceMs = 30_000;

/**
 * The URL as soon as visitors can use it. Rejects with why there will be none, with `timeout` when that is not known after 30 s
 * (the tunnel keeps trying), or with the signal's reason.
 */
export function urlReady(
  controller: Controller,
  id: string,
  { clock, role = "primary", signal }: { clock: Clock; role?: "primary" | "secondary"; signal?: AbortSignal },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(patienceMs, () =>
      end(() =>
        reject(
          new PortholeError("timeout", lastProblem(controller.find(id)) ?? "No relay has answered yet", {
            hint: "It keeps trying; the status bar shows when it is online.",
          }),
        ),
      ),
    );
    const onAbort = (): void => end(() => reject(signal?.reason as Error));
    const off = controller.onChange(look);
    signal?.addEventListener("abort", onAbort, { once: true });
    look();

    function look(): void {
      const exposure = controller.find(id);
      if (exposure?.phase !== "on") return end(() => reject(new PortholeError("aborted", "It was stopped")));
      const failure = failureOf(exposure);
      if (failure) return end(() => reject(fromRpcErrorData(failure)));
      const url = urlOf(exposure, role);
      const isOnline = endpointOf(exposure, role)?.relays.some(({ now }) => now.status === "online");
      if (url !== undefined && isOnline) end(() => resolve(url));
    }

    function end(settle: () => void): void {
      timer.cancel();
      off();
      signal?.removeEventListener("abort", onAbort);
      settle();
    }
  });
}

function lastProblem(exposure: Exposure | undefined): string | undefined {
  const relays = exposure ? (endpointOf(exposure)?.relays ?? []) : [];
  return relays.flatMap(({ now }) => (now.status === "waiting" ? [now.error.message] : []))[0];
}
