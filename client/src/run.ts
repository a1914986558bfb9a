import { createDialers } from "@porthole/tunnel/dialers";
import { PortholeError } from "@porthole/common/errors";
import { JoinedRelays } from "@porthole/common/invite";
import { openKnownRelays, prepareTunnel, runTunnel, type TunnelState } from "@porthole/tunnel/tunnel";
import { dataFolder, lastingOutput, startWatchdog, systemClock } from "@porthole/common/util";
import { openControlSocket, type ControlHandler } from "@porthole/common/control";
import { nodeVersionWarning } from "@porthole/common/node-support";
import { version } from "@porthole/common/version";
import { tunnelSettings, type ClientValues } from "./config.ts";
import { visitorPolicyCommands } from "./control-commands.ts";
import { examineEndpoints, type DoctorReport } from "./doctor.ts";
import { openVisitorPolicy } from "./visitor-policy.ts";
import { createJsonReporter, plainErrors } from "./json-reporter.ts";
import { stopController } from "./stop-signals.ts";
import { createTextReporter } from "./text-reporter.ts";

const longestTimerMs = 2 ** 31 - 1;

/** Exposes what the options say until the user ends it. Rejects with the reason when it can't go on. */
export async function runClient(values: ClientValues): Promise<void> {
  const write = lastingOutput();
  const reporter = values.json
    ? createJsonReporter(write)
    : createTextReporter({ write, isTerminal: process.stdout.isTTY }, { qr: values.qr });
  const { log } = reporter;
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  const stop = stopController();
  let state: TunnelState = { endpoints: [] };

  const status = (): unknown => plainErrors(state);
  const policy = await openVisitorPolicy(values, { clock: systemClock });
  let examineThis: ((signal: AbortSignal) => Promise<readonly DoctorReport[]>) | undefined;
  const commands: Readonly<Record<string, ControlHandler>> = {
    ...visitorPolicyCommands(policy, () => state),
    status,
    doctor(_params, { signal }) {
      if (examineThis) return examineThis(AbortSignal.any([signal, stop.signal]));
      throw new PortholeError("closed", "The client is only starting", { hint: "Ask again in a moment." });
    },
    stop() {
      stop.abort(new PortholeError("aborted", "Stopped by porthole stop"));
      return status();
    },
  };

  startWatchdog();
  // The clock's timers keep no process alive, and between two attempts there is nothing else.
  const alive = setInterval(() => {}, longestTimerMs);
  const control = await openControlSocket({
    stateDir,
    program: "client",
    clock: systemClock,
    commands,
    onUnusable: ({ message, hint }) => log.warn({ hint }, `${message}; it runs, and commands do not reach it`),
    inUseHint:
      "It would have the same name. End the other one with porthole stop, or give this one a --state-dir of its own. --secondary-local exposes a second service.",
  }).catch(async (reason: unknown) => {
    clearInterval(alive);
    reporter.close();
    await policy.close();
    throw reason;
  });
  let forgetting = Promise.resolve();
  try {
    const warning = nodeVersionWarning();
    if (warning) log.warn({}, warning);
    if (values.insecure) log.warn({}, "--insecure: whoever is between you and the relay can pose as the relay");
    const joined = await JoinedRelays.open(stateDir);
    const knownRelays = await openKnownRelays(stateDir);
    const context = { clock: systemClock, log, knownRelays };
    const settings = tunnelSettings(values, joined.all, policy.options);
    const prepared = await prepareTunnel(settings, context);
    const dialers = createDialers(values.proxy);
    const running = (role: string) => state.endpoints.find((each) => each.role === role);
    examineThis = (signal) => examineEndpoints({ settings, running, dialers, knownRelays }, signal);
    await runTunnel(
      {
        ...prepared,
        ...context,
        dialers,
        software: `porthole/${version}`,
        onState(next) {
          state = next;
          reporter.onState(next);
        },
        onVisit: (report) => reporter.onVisit(report),
        onRequest: (report) => reporter.onRequest(report),
        onTokenUsed(server) {
          const forget = (): Promise<void> => joined.forgetToken(server);
          forgetting = forgetting
            .then(forget)
            .catch((reason: unknown) => log.warn({}, PortholeError.from(reason).message));
        },
      },
      stop.signal,
    );
  } finally {
    clearInterval(alive);
    reporter.close();
    await forgetting;
    await control.close();
    await policy.close();
  }
}
