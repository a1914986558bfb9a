import { PortholeError } from "@porthole/common/errors";

/** How a user ends a program: Ctrl-C, a service manager, and a terminal or SSH session that is closed. */
const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Returns a controller that aborts at the first signal of the user to stop; a second one ends the process at once. */
export function stopController(): AbortController {
  const controller = new AbortController();
  for (const signal of stopSignals)
    process.once(signal, () => controller.abort(new PortholeError("aborted", `Stopped by ${signal}`)));
  return controller;
}
