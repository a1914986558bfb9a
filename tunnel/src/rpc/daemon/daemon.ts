import { dataFolder, orAbort } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import type { RpcStreams } from "../server.ts";
import { serveCaller } from "./caller.ts";
import { openRuntime, type Runtime, type RuntimeOptions } from "./runtime.ts";

export type DaemonOptions = Pick<RuntimeOptions, "dialers" | "clock" | "startTrialRelay">;

/**
 * Does what the caller at the other end of the streams asks for, until its input ends, it calls `shutdown`, or the signal
 * aborts; then stops every tunnel, and resolves when nothing is left. The streams stay their owner's.
 */
export async function runDaemon(streams: RpcStreams, options: DaemonOptions, signal: AbortSignal): Promise<void> {
  const finished = new AbortController();
  let runtime: Runtime | undefined;
  const caller = serveCaller(
    streams,
    async ({ client, stateDir = dataFolder("porthole"), owner }) => {
      const software = `porthole/${version} (${client.name}/${client.version})`;
      runtime = await openRuntime({ ...options, stateDir, owner, software });
      runtime.shutDown.addEventListener("abort", () => finished.abort());
      return runtime;
    },
    options.clock,
  );
  await orAbort(AbortSignal.any([signal, finished.signal]), caller.left).catch(() => {});
  await runtime?.close();
  await caller.close();
}
