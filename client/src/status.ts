import { defineOptions, flag, path, readOptions } from "@porthole/common/options";
import type { TunnelState } from "@porthole/tunnel/tunnel";
import { visibleJson } from "@porthole/common/util";
import { runningClient } from "./running-client.ts";
import { describeAccess, describeCertificate, describeStatus, urlsOf } from "./text.ts";

export const runningOptions = defineOptions({
  "state-dir": { help: "State folder of the client", parse: path, defaultHelp: "the platform's data folder" },
  json: { help: "The whole state as JSON", parse: flag },
});

/** `porthole status` and `porthole stop`: what the running client answers. Throws `closed` when none is running. */
export async function askRunning(command: "status" | "stop", argv: readonly string[]): Promise<string> {
  const { values } = readOptions(runningOptions, argv, process.env);
  const answer = await runningClient(values["state-dir"]).ask(command);
  if (values.json) return `${visibleJson(answer)}\n`;
  return command === "stop" ? "Stopping.\n" : describe(answer as TunnelState);
}

function describe(state: TunnelState): string {
  const lines = state.endpoints.flatMap((endpoint) => [
    `${endpoint.role}: ${endpoint.clientId}, for ${endpoint.local}`,
    ...urlsOf(endpoint).map((url) => `  URL: ${url}`),
    ...(endpoint.gateway.access ? [`  ${describeAccess(endpoint.gateway.access)}`] : []),
    ...endpoint.relays.map(({ server, now }) => `  ${describeStatus(server, now, Date.now())}`),
    ...endpoint.certificates.map(
      ({ hostname, now, quotaLeft }) =>
        `  ${describeCertificate(hostname, now)}` +
        (quotaLeft === undefined ? "" : `; ${quotaLeft} more new names may have one now`),
    ),
  ]);
  return `${lines.join("\n")}\n`;
}
