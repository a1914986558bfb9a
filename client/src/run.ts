import { PortholeError } from "@porthole/common/errors";
import { nodeVersionWarning } from "@porthole/common/node-support";
import { dataFolder, lastingOutput, longestTimerMs, sleep, startWatchdog, systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { createDialers } from "@porthole/tunnel/dialers";
import { openCommandSocket, openRuntime, type Runtime } from "@porthole/tunnel/rpc/daemon";
import { ownerKeyPath, tunnelSpecs } from "./config.ts";
import type { ClientValues } from "./options.ts";
import { detach, starterOf, type Starter } from "./detach.ts";
import { joinClient, type Joined } from "./join-client.ts";
import { createJsonReporter } from "./json-reporter.ts";
import { watchReadiness, type ReadinessOptions } from "./readiness.ts";
import type { Reporter } from "./reporter.ts";
import { attachIfRunning } from "./running-client.ts";
import { stopController } from "./stop-signals.ts";
import { nameTargets, type NamedTarget, type Target } from "./targets.ts";
import { createTextReporter } from "./text-reporter.ts";
import { tunnelsAreOver } from "./tunnels-are-over.ts";
import { openUrlFile } from "./url-file.ts";
import { successorOf } from "./successor.ts";

/** Several clients that lose the one that they have joined start at the same time, and one of them gets the socket. */
const takeOverAttempts = 25;
const takeOverPauseMs = 200;
const finishingAfterMs = 1_500;
const finishingText = "Visitors finish their downloads, for 10 s at most. Press Ctrl-C again to end at once.\n";

/**
 * A runtime with the state folder to itself: other programs attach to it, and a second one is kept away. They lose it before its
 * tunnels stop, unless one of them asked for the end: what they have started can continue elsewhere.
 */
export async function withRuntime<T>(
  values: ClientValues,
  inUseHint: string,
  use: (runtime: Runtime, stateDir: string) => Promise<T>,
): Promise<T> {
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  const clock = systemClock;
  const dialers = createDialers(values.proxy, values["quic-engine"]);
  const owner = { path: ownerKeyPath(values, stateDir) };
  const runtime = await openRuntime({ stateDir, clock, dialers, owner, drains: true, software: `porthole/${version}` });
  try {
    const socket = await openCommandSocket(runtime, { stateDir, clock, inUseHint });
    try {
      return await use(runtime, stateDir);
    } finally {
      if (!runtime.isEnding) await socket.close();
      await runtime.close();
      await socket.close();
    }
  } finally {
    await runtime.close();
  }
}

/**
 * Exposes the targets until the user, or another program, ends it: within the client that runs with the state folder, or as that
 * client. Rejects with the reason when it can't continue.
 */
export async function runClient(values: ClientValues, targets: readonly Target[]): Promise<void> {
  if (values.detach) return showDetached(await detach(process.argv.slice(2), values["state-dir"]));
  const starter = starterOf();
  try {
    if (values["wait-for-url"] && values["url-file"] === undefined && !starter)
      throw new PortholeError("usage", "--wait-for-url goes with --detach or --url-file");
    await runHere(values, targets, starter);
  } finally {
    starter?.close();
  }
}

async function runHere(values: ClientValues, targets: readonly Target[], starter: Starter | undefined): Promise<void> {
  const stopped = stopController().signal;
  const stop = starter ? AbortSignal.any([stopped, starter.gone]) : stopped;
  const successor = successorOf(process);
  startWatchdog(successor && { successor });
  const urlFile = await openUrlFile(values["url-file"]);
  // The clock's timers keep no process alive, and between two attempts there is nothing else.
  const alive = setInterval(() => {}, longestTimerMs);
  const onReady = (urls: readonly string[]): void => {
    starter?.ready(urls);
    void urlFile?.write(urls);
  };
  const onUnreachable = (why: string | null): void => starter?.unreachable(why);
  const finishing = sayWhenFinishing(stop);
  try {
    await runTunnels(values, targets, stop, { onReady, onUnreachable });
  } finally {
    finishing.stop();
    clearInterval(alive);
    await urlFile?.close();
  }
}

/** Says on a terminal why the program is still there a moment after Ctrl-C. */
function sayWhenFinishing(stop: AbortSignal): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const onStop = (): void => {
    timer = setTimeout(() => process.stderr.write(finishingText), finishingAfterMs);
  };
  if (process.stderr.isTTY) stop.addEventListener("abort", onStop, { once: true });
  return {
    stop() {
      stop.removeEventListener("abort", onStop);
      clearTimeout(timer);
    },
  };
}

/** The URLs alone go to standard output: `url=$(porthole 3000 --detach)`. */
function showDetached(urls: readonly string[]): void {
  process.stdout.write(urls.map((url) => `${url}\n`).join(""));
  process.stderr.write("It runs in the background. porthole ls, logs and stop show and end it.\n");
}

/** One command's tunnels, wherever they run. */
async function runTunnels(
  values: ClientValues,
  given: readonly Target[],
  stop: AbortSignal,
  readiness: Pick<ReadinessOptions, "onReady" | "onUnreachable">,
): Promise<void> {
  const write = lastingOutput();
  /** Stays the same when they move to another process. */
  let named: readonly NamedTarget[] | undefined;
  let reporter: Reporter | undefined;

  function show(targets: readonly NamedTarget[]): Reporter {
    named = targets;
    const { json, qr } = values;
    const tunnels = targets.map(({ name }) => name);
    const output = { write, isTerminal: process.stdout.isTTY };
    reporter ??= watchReadiness(json ? createJsonReporter(write) : createTextReporter(output, { qr, tunnels }), {
      ...{ tunnels, withCertificate: values["wait-for-url"] },
      ...readiness,
    });
    return reporter;
  }

  /** `gone`: the other client has ended, and the tunnels with it. */
  async function within(joined: Joined): Promise<"over" | "gone"> {
    const shown = show(joined.targets);
    try {
      shown.onLog({ ...now(), message: "Joined the client that runs. porthole ls shows all of its tunnels." });
      if (values.proxy !== undefined)
        shown.onLog({ ...now(), level: "warn", message: "--proxy is not used: it is the running client's choice" });
      const outcome = await joined.run(shown, stop);
      if (outcome === "gone")
        shown.onLog({
          ...now(),
          message: "The client that this one had joined has ended. This one takes its place.",
        });
      return outcome;
    } finally {
      joined.close();
    }
  }

  /** `taken`: another process is the client now. */
  async function asClient(attempt: number): Promise<"over" | "taken"> {
    try {
      await withRuntime(values, "See what it exposes with porthole ls.", async (runtime, stateDir) => {
        const { log, handlers } = runtime;
        const targets = named ?? nameTargets(given);
        const names = targets.map(({ name }) => name);
        const over = tunnelsAreOver(runtime, names, show(targets), [stop, runtime.shutDown]);
        const warning = nodeVersionWarning();
        if (warning) log.warn({}, warning);
        if (values.insecure) log.warn({}, "--insecure: others on the path can pose as the relay");
        const { relays } = await handlers["relay/list"]({}, { signal: runtime.shutDown });
        for (const spec of tunnelSpecs(values, targets, stateDir, relays))
          await handlers["tunnel/start"](spec, { signal: runtime.shutDown });
        await over;
      });
      return "over";
    } catch (reason) {
      if (attempt >= takeOverAttempts || !(await isTaken(values, reason))) throw reason;
      await sleep(systemClock, takeOverPauseMs, stop).catch(() => {});
      return "taken";
    }
  }

  try {
    for (let attempt = 1; !stop.aborted; attempt++) {
      const joined = await joinClient(values, given, named);
      if (joined) {
        if ((await within(joined)) === "over") return;
        attempt = 1;
      } else if ((await asClient(attempt)) === "over") return;
    }
  } finally {
    reporter?.close();
  }
}

async function isTaken(values: ClientValues, reason: unknown): Promise<boolean> {
  if (PortholeError.from(reason).code !== "state") return false;
  const other = await attachIfRunning(values["state-dir"]).catch(() => undefined);
  other?.close();
  return other !== undefined;
}

function now(): { readonly level: "info"; readonly time: number } {
  return { level: "info", time: systemClock.now() };
}
