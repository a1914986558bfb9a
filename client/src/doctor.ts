import { createDialers } from "@porthole/tunnel/dialers";
import { examine, type Check, type ExamineOptions } from "@porthole/tunnel/doctor";
import { JoinedRelays } from "@porthole/common/invite";
import { silentLogger } from "@porthole/common/log";
import { readOptions } from "@porthole/common/options";
import { openKnownRelays, type EndpointState, type TunnelSettings } from "@porthole/tunnel/tunnel";
import { dataFolder, systemClock, visibleJson } from "@porthole/common/util";
import { openControlSocket } from "@porthole/common/control";
import { version } from "@porthole/common/version";
import { runningClient } from "./running-client.ts";
import { tunnelSettings, type ClientValues } from "./config.ts";
import { describeReports } from "./doctor-text.ts";
import { openVisitorPolicy } from "./visitor-policy.ts";
import { clientOptions } from "./options.ts";
import { stopController } from "./stop-signals.ts";

/** What was found about one endpoint. */
export interface DoctorReport {
  readonly role: EndpointState["role"];
  readonly checks: readonly Check[];
}

interface Context extends Pick<ExamineOptions, "dialers" | "knownRelays" | "onTokenUsed"> {
  readonly settings: TunnelSettings;
  /** Of the endpoints where they run; absent: each is exposed for the time of the examination. */
  readonly running?: (role: EndpointState["role"]) => EndpointState | undefined;
}

/** One endpoint after the other. Rejects as `examine` does. */
export async function examineEndpoints(context: Context, signal: AbortSignal): Promise<readonly DoctorReport[]> {
  const { settings, running, ...rest } = context;
  const reports: DoctorReport[] = [];
  for (const endpoint of settings.endpoints) {
    const { role } = endpoint;
    const options: ExamineOptions = {
      ...rest,
      // As beside the others: the first one's key vouches for it.
      settings: { ...settings, endpoints: [endpoint], owner: settings.owner ?? settings.endpoints[0]?.key },
      ...(running && { running: () => running(role) }),
      software: `porthole/${version}`,
      clock: systemClock,
      log: silentLogger,
    };
    reports.push({ role, checks: await examine(options, signal) });
  }
  return reports;
}

/**
 * `porthole doctor`: looks at the client that runs with the state folder, or else at what the options say.
 * Answers with what to print and the exit status, 1 when a check failed.
 */
export async function doctor(argv: readonly string[]): Promise<{ readonly text: string; readonly status: 0 | 1 }> {
  const { values } = readOptions(clientOptions, argv, process.env);
  const stop = stopController();
  const found = await examineRunning(values, stop.signal);
  const endpoints = found ?? (await examinePlanned(values, stop.signal));
  const isRunning = found !== undefined;
  const hasFailed = endpoints.some(({ checks }) => checks.some((check) => check.status === "failed"));
  const text = values.json
    ? `${visibleJson({ running: isRunning, endpoints })}\n`
    : describeReports(endpoints, { isRunning, isTerminal: process.stdout.isTTY });
  return { text, status: hasFailed ? 1 : 0 };
}

/** Undefined when no client runs. It looks at itself, so it takes as long as that takes. */
async function examineRunning(values: ClientValues, signal: AbortSignal): Promise<readonly DoctorReport[] | undefined> {
  let answer: readonly DoctorReport[] | undefined;
  const client = runningClient(values["state-dir"]);
  for await (const line of client.follow<readonly DoctorReport[]>("doctor", signal)) answer = line;
  signal.throwIfAborted();
  return answer;
}

async function examinePlanned(values: ClientValues, signal: AbortSignal): Promise<readonly DoctorReport[]> {
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  // Visitors may come while it is exposed: who may not is kept out now, too.
  const policy = await openVisitorPolicy(values, { clock: systemClock });
  const forgetting: Promise<void>[] = [];
  try {
    const joined = await JoinedRelays.open(stateDir);
    const settings = tunnelSettings(values, joined.all, policy.options);
    // Two of one name would take each other's visitors.
    const control = await openControlSocket({
      stateDir,
      program: "client",
      clock: systemClock,
      commands: {},
      inUseHint: "It may be an examination like this one. Wait for its end.",
    });
    try {
      const knownRelays = await openKnownRelays(stateDir);
      const dialers = createDialers(values.proxy);
      return await examineEndpoints(
        { settings, knownRelays, dialers, onTokenUsed: (server) => void forgetting.push(joined.forgetToken(server)) },
        signal,
      );
    } finally {
      await Promise.allSettled(forgetting);
      await control.close();
    }
  } finally {
    await policy.close();
  }
}
