import { defineOptions, port, readOptions } from "@porthole/common/options";
import { startWatchdog } from "@porthole/common/util";
import { takeStdio } from "@porthole/tunnel/rpc/daemon";
import { clientOptions } from "../options.ts";
import { stopController } from "../stop-signals.ts";

export const mcpOptions = defineOptions({
  ...clientOptions,
  allow: { help: "A port that may be exposed without asking the user", parse: port, repeatable: true },
});

/** `porthole mcp`: serves AI assistants on standard input and output (docs/assistants.md), and ends with its input. */
export async function runMcp(argv: readonly string[]): Promise<void> {
  const { allow, ...values } = readOptions(mcpOptions, argv, process.env).values;
  const stop = stopController();
  startWatchdog();
  const streams = takeStdio();
  // Loaded only here: no other command needs the protocol's library.
  const { serveMcp } = await import("./server.ts");
  await serveMcp({ values, allow, streams }, stop.signal);
  streams.input.destroy();
}
