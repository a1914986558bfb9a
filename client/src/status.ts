import { defineOptions, flag, path, readOptions } from "@porthole/common/options";
import { visibleJson } from "@porthole/common/util";
import type { TunnelInfo } from "@porthole/tunnel/rpc";
import { printable } from "./printable.ts";
import { mainTunnel, withRunningClient } from "./running-client.ts";
import { describeAccess, describeCertificate, describeStatus } from "./text.ts";

export const runningOptions = defineOptions({
  "state-dir": { help: "State folder of the client", parse: path, defaultHelp: "the platform's data folder" },
  json: { help: "The whole state as JSON", parse: flag },
});

/** `porthole status`: what to print. Throws `closed` when no client is running. */
export async function status(argv: readonly string[]): Promise<string> {
  const { values } = readOptions(runningOptions, argv, process.env);
  const list = await withRunningClient(values["state-dir"], (client) => client.call("tunnel/list", {}));
  return values.json ? `${visibleJson(list)}\n` : list.tunnels.map(describe).join("");
}

/** `porthole stop`: what to print once every tunnel has stopped. Throws `closed` when no client is running. */
export async function stop(argv: readonly string[]): Promise<string> {
  const { values } = readOptions(runningOptions, argv, process.env);
  const answer = await withRunningClient(values["state-dir"], (client) => client.call("shutdown", {}));
  return values.json ? `${visibleJson(answer)}\n` : "Stopped.\n";
}

function describe({ id, state }: TunnelInfo): string {
  const lines = state.endpoints.flatMap((endpoint) => [
    `${endpoint.role}: ${endpoint.clientId}, for ${endpoint.local}`,
    ...endpoint.urls.map((url) => `  URL: ${url}`),
    ...(endpoint.gateway.access ? [`  ${describeAccess(endpoint.gateway.access)}`] : []),
    ...endpoint.relays.map(({ address, now }) => `  ${describeStatus(address, now, Date.now())}`),
    ...endpoint.certificates.map(
      (certificate) =>
        `  ${describeCertificate(certificate)}` +
        (certificate.quotaLeft === undefined ? "" : `; ${certificate.quotaLeft} more new names may have one now`),
    ),
  ]);
  // Other programs may have started more.
  const title = id === mainTunnel ? [] : [`tunnel ${printable(id)}`];
  return `${[...title, ...lines].join("\n")}\n`;
}
