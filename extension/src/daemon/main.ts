import { createDialers, proxyOption } from "@porthole/tunnel/dialers";
import { PortholeError } from "@porthole/common/errors";
import { defineOptions, readOptions, exitStatusOf } from "@porthole/common/options";
import { runDaemon, takeStdio, type StartTrialRelay } from "@porthole/tunnel/rpc/daemon";
import { startWatchdog, systemClock } from "@porthole/common/util";

/** The process that runs the tunnels: does what the extension says on its standard input, and ends with it. */

/** Loaded only by who tries it out. */
const startTrialRelay: StartTrialRelay = async (...args) => (await import("./trial-relay.ts")).startTrialRelay(...args);

startWatchdog();
const streams = takeStdio();
// The window's end is the end of the input; a signal that was meant for a whole group of processes comes before it.
process.on("SIGINT", () => {});
try {
  const { proxy } = readOptions(defineOptions({ proxy: proxyOption }), [], process.env).values;
  const options = { dialers: createDialers(proxy), clock: systemClock, startTrialRelay };
  await runDaemon(streams, options, new AbortController().signal);
} catch (reason) {
  const error = PortholeError.from(reason);
  process.stderr.write(`${error.message}\n`);
  process.exitCode = exitStatusOf(error);
}
streams.input.destroy();
