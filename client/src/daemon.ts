import { createDialers } from "@porthole/tunnel/dialers";
import { PortholeError } from "@porthole/common/errors";
import { defineOptions, flag, readOptions } from "@porthole/common/options";
import { runDaemon, takeStdio } from "@porthole/tunnel/rpc/daemon";
import { startWatchdog, systemClock } from "@porthole/common/util";
import { clientOptions } from "./options.ts";
import { stopController } from "./stop-signals.ts";

export const daemonOptions = defineOptions({
  stdio: { help: "Speak JSON-RPC on standard input and output", parse: flag },
  proxy: clientOptions.proxy,
  "quic-engine": clientOptions["quic-engine"],
});

/** `porthole daemon --stdio`: does what another program says (docs/rpc.md), and ends with its input. */
export async function runStdioDaemon(argv: readonly string[]): Promise<void> {
  const { stdio, proxy, "quic-engine": engine } = readOptions(daemonOptions, argv, process.env).values;
  if (!stdio)
    throw new PortholeError("usage", "porthole daemon is for other programs, which say how they speak to it", {
      hint: "porthole daemon --stdio speaks JSON-RPC on standard input and output: see docs/rpc.md.",
    });
  const stop = stopController();
  startWatchdog();
  const streams = takeStdio();
  await runDaemon(streams, { dialers: createDialers(proxy, engine), clock: systemClock }, stop.signal);
  streams.input.destroy();
}
