import { readOptions } from "@porthole/common/options";
import { visibleJson } from "@porthole/common/util";
import { tunnelSpec } from "./config.ts";
import { describeReports, type EndpointReport } from "./doctor-text.ts";
import { clientOptions, type ClientValues } from "./options.ts";
import { attachIfRunning } from "./running-client.ts";
import { withRuntime } from "./run.ts";
import { stopController } from "./stop-signals.ts";

/**
 * `porthole doctor`: looks at the client that runs with the state folder, or else at what the options say.
 * Returns what to print and the exit status, 1 when a check failed.
 */
export async function doctor(argv: readonly string[]): Promise<{ readonly text: string; readonly status: 0 | 1 }> {
  const { values } = readOptions(clientOptions, argv, process.env);
  const stop = stopController();
  const found = await examineRunning(values["state-dir"], stop.signal);
  const endpoints = found ?? (await examinePlanned(values, stop.signal));
  const isRunning = found !== undefined;
  const hasFailed = endpoints.some(({ checks }) => checks.some((check) => check.status === "failed"));
  const text = values.json
    ? `${visibleJson({ running: isRunning, endpoints })}\n`
    : describeReports(endpoints, { isRunning, isTerminal: process.stdout.isTTY });
  return { text, status: hasFailed ? 1 : 0 };
}

/** Every tunnel of the client. Undefined when no client runs, or it has no tunnel. */
async function examineRunning(
  stateDir: string | undefined,
  signal: AbortSignal,
): Promise<readonly EndpointReport[] | undefined> {
  const client = await attachIfRunning(stateDir);
  try {
    const { tunnels } = (await client?.call("tunnel/list", {}, { signal })) ?? { tunnels: [] };
    if (!client || tunnels.length === 0) return undefined;
    const reports: EndpointReport[] = [];
    for (const { id: tunnel, state } of tunnels)
      for (const { role } of state.endpoints)
        reports.push({ tunnel, role, ...(await client.call("doctor", { tunnel, role }, { signal })) });
    return reports;
  } finally {
    client?.close();
  }
}

/** Two of one name would take each other's visitors, so it has the state folder to itself. */
function examinePlanned(values: ClientValues, signal: AbortSignal): Promise<readonly EndpointReport[]> {
  const inUseHint = "It may be an examination like this one. Wait for its end.";
  return withRuntime(values, inUseHint, async ({ handlers }, stateDir) => {
    const { relays } = await handlers["relay/list"]({}, { signal });
    const spec = tunnelSpec(values, stateDir, relays);
    const reports: EndpointReport[] = [];
    for (const role of spec.secondary ? (["primary", "secondary"] as const) : (["primary"] as const))
      reports.push({ tunnel: spec.id, role, ...(await handlers.doctor({ spec, role }, { signal })) });
    return reports;
  });
}
