import { nodeVersionWarning } from "@porthole/common/node-support";
import { dataFolder, lastingOutput, longestTimerMs, startWatchdog, systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { createDialers } from "@porthole/tunnel/dialers";
import { fromRpcErrorData } from "@porthole/tunnel/rpc";
import { openCommandSocket, openRuntime, type Runtime } from "@porthole/tunnel/rpc/daemon";
import { tunnelSpec, type ClientValues } from "./config.ts";
import { createJsonReporter } from "./json-reporter.ts";
import type { Reporter } from "./reporter.ts";
import { mainTunnel } from "./running-client.ts";
import { stopController } from "./stop-signals.ts";
import { createTextReporter } from "./text-reporter.ts";

/** A runtime with the state folder to itself: other programs attach to it, and a second one is kept away. */
export async function withRuntime<T>(
  values: ClientValues,
  inUseHint: string,
  use: (runtime: Runtime, stateDir: string) => Promise<T>,
): Promise<T> {
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  const clock = systemClock;
  const dialers = createDialers(values.proxy);
  const runtime = await openRuntime({ stateDir, clock, dialers, software: `porthole/${version}` });
  try {
    const socket = await openCommandSocket(runtime, { stateDir, clock, inUseHint });
    try {
      return await use(runtime, stateDir);
    } finally {
      await runtime.close();
      await socket.close();
    }
  } finally {
    await runtime.close();
  }
}

/** Exposes what the options say until the user, or another program, ends it. Rejects with the reason when it can't go on. */
export async function runClient(values: ClientValues): Promise<void> {
  const write = lastingOutput();
  const reporter = values.json
    ? createJsonReporter(write)
    : createTextReporter({ write, isTerminal: process.stdout.isTTY }, { qr: values.qr });
  startWatchdog();
  // The clock's timers keep no process alive, and between two attempts there is nothing else.
  const alive = setInterval(() => {}, longestTimerMs);
  try {
    await withRuntime(
      values,
      "It would have the same name. End the other one with porthole stop, or give this one a --state-dir of its own. --secondary-local exposes a second service.",
      async (runtime, stateDir) => {
        const over = mainTunnelIsOver(runtime, reporter);
        const { log, handlers } = runtime;
        const warning = nodeVersionWarning();
        if (warning) log.warn({}, warning);
        if (values.insecure) log.warn({}, "--insecure: whoever is between you and the relay can pose as the relay");
        const { relays } = await handlers["relay/list"]({}, { signal: runtime.shutDown });
        await handlers["tunnel/start"](tunnelSpec(values, stateDir, relays), { signal: runtime.shutDown });
        await over;
      },
    );
  } finally {
    clearInterval(alive);
    reporter.close();
  }
}

/** Shows what happens to the tunnel that the user has started. Resolves when it was stopped, rejects when every relay has refused. */
export function mainTunnelIsOver(runtime: Runtime, reporter: Reporter): Promise<void> {
  const over = new Promise<void>((resolve, reject) => {
    stopController().signal.addEventListener("abort", () => resolve());
    runtime.shutDown.addEventListener("abort", () => resolve());
    runtime.subscribe({
      state({ id, state }) {
        if (id !== mainTunnel) return;
        reporter.onState(state);
        if (state.ended?.error) reject(fromRpcErrorData(state.ended.error));
        else if (state.ended) resolve();
      },
      visit({ id, visit }) {
        if (id === mainTunnel) reporter.onVisit(visit);
      },
      request({ id, request }) {
        if (id === mainTunnel) reporter.onRequest(request);
      },
      inspect: () => {},
      log: (line) => reporter.onLog(line),
    });
  });
  // A refusal may come before anybody waits.
  over.catch(() => {});
  return over;
}
