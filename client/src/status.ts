import { defineOptions, flag, path, readOptions } from "@porthole/common/options";
import { visibleJson } from "@porthole/common/util";
import type { TunnelInfo } from "@porthole/tunnel/rpc";
import { rowsOf, tableOf } from "./tunnel-table.ts";
import { printable } from "./printable.ts";
import { describePublicUrl } from "./public-address.ts";
import { maxTargets } from "./targets.ts";
import { chooseTunnel, mainTunnel, withRunningClient } from "./running-client.ts";
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

/** `porthole stop [NAME...]`: what to print once these tunnels, or all of them, have stopped. Throws `closed` when no client is running. */
export async function stop(argv: readonly string[]): Promise<string> {
  const { values, positionals } = readOptions(runningOptions, argv, process.env, { maxPositionals: maxTargets });
  const answer = await withRunningClient(values["state-dir"], async (client) => {
    if (positionals.length === 0) return client.call("shutdown", {});
    const { tunnels } = await client.call("tunnel/list", {});
    const ids = tunnels.map(({ id }) => id);
    // All are known before the first one is stopped.
    const meant = new Set(positionals.map((name) => chooseTunnel(ids, name)));
    for (const id of meant) await client.call("tunnel/stop", { id });
    return {};
  });
  return values.json ? `${visibleJson(answer)}\n` : "Stopped.\n";
}

/** `porthole ls`: what to print, a line for each tunnel. Throws `closed` when no client is running. */
export async function ls(argv: readonly string[]): Promise<string> {
  const { values } = readOptions(runningOptions, argv, process.env);
  const { tunnels } = await withRunningClient(values["state-dir"], (client) => client.call("tunnel/list", {}));
  if (values.json) return `${visibleJson(tunnels.flatMap((tunnel) => rowsOf(tunnel)))}\n`;
  return tableOf(tunnels);
}

function describe({ id, state }: TunnelInfo): string {
  const lines = state.endpoints.flatMap((endpoint) => [
    `${endpoint.role}: ${endpoint.clientId}, for ${endpoint.local}`,
    ...endpoint.urls.map((url) => `  ${describePublicUrl(url, endpoint.local)}`),
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
