import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { text } from "@porthole/common/options";
import { dataFolder, systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { attachToClient, type DaemonConnection } from "@porthole/tunnel/rpc";

/** The id of the tunnel that `porthole PORT` starts: it has the client's own key and name. */
export const mainTunnel = "main";

/** The state folder of `porthole demo`. */
export function demoFolder(): string {
  return join(dataFolder("porthole"), "demo");
}

/** For commands about one tunnel of the running client. */
export const tunnelOption = {
  help: "Which tunnel of the running client",
  parse: text,
  placeholder: "NAME",
  defaultHelp: `${mainTunnel}, or the only one`,
} as const;

/** A connection to the running client, for one of its tunnels. */
export interface TunnelClient extends DaemonConnection {
  readonly tunnel: string;
}

/** The client that runs with the state folder; undefined when none runs. The caller closes the connection. */
export function attachIfRunning(stateDir: string = dataFolder("porthole")): Promise<DaemonConnection | undefined> {
  return attachToClient({ stateDir, clock: systemClock, client: { name: "porthole", version } });
}

/**
 * Calls `use` with the client that runs with the state folder; when none is named, the demo's client stands in for one that does not
 * run. Rejects with the client's error, or `closed` when none is running.
 */
export async function withRunningClient<T>(
  stateDir: string | undefined,
  use: (client: DaemonConnection) => Promise<T>,
): Promise<T> {
  const client = (await attachIfRunning(stateDir)) ?? (stateDir ? undefined : await attachIfRunning(demoFolder()));
  if (!client)
    throw new PortholeError(
      "closed",
      `No client is running with the state folder ${stateDir ?? dataFolder("porthole")}`,
      {
        hint: "Start one with porthole PORT --server HOST, or name its folder with --state-dir.",
      },
    );
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** Like `withRunningClient`, for a tunnel: the named one, `main`, or the only one. Rejects with `usage` when that says none. */
export function withRunningTunnel<T>(
  values: { readonly "state-dir": string | undefined; readonly tunnel: string | undefined },
  use: (client: TunnelClient) => Promise<T>,
): Promise<T> {
  return withRunningClient(values["state-dir"], async (client) => {
    const { tunnels } = await client.call("tunnel/list", {});
    const tunnel = chooseTunnel(
      tunnels.map(({ id }) => id),
      values.tunnel,
    );
    return use(Object.assign(client, { tunnel }));
  });
}

/**
 * Returns the tunnel that is meant: the named one, `main`, or the only one. `web` names `shop.web` where no other tunnel is called so.
 * Throws `usage`.
 */
export function chooseTunnel(ids: readonly string[], wanted: string | undefined): string {
  const names = ids.join(", ");
  if (wanted !== undefined) {
    const ofProjects = ids.filter((id) => id.endsWith(`.${wanted}`));
    const [found] = ids.includes(wanted) ? [wanted] : ofProjects.length === 1 ? ofProjects : [];
    if (found !== undefined) return found;
    throw new PortholeError("usage", `There is no tunnel ${JSON.stringify(wanted)}`, {
      hint: ids.length === 0 ? "The running client has no tunnel." : `The running client has: ${names}.`,
    });
  }
  const [only] = ids.includes(mainTunnel) ? [mainTunnel] : ids;
  if (only === undefined)
    throw new PortholeError("usage", "The running client has no tunnel", { hint: "Start one with porthole PORT." });
  if (only === mainTunnel || ids.length === 1) return only;
  throw new PortholeError("usage", `The running client has several tunnels: ${names}`, {
    hint: "Choose one with --tunnel NAME.",
  });
}
