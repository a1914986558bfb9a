import { PortholeError } from "@porthole/common/errors";
import { dataFolder, systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { attachToClient, type DaemonConnection } from "@porthole/tunnel/rpc";

/** The id of the tunnel that `porthole PORT` starts. */
export const mainTunnel = "main";

/** The client that runs with the state folder; undefined when none runs. The caller closes the connection. */
export function attachIfRunning(stateDir: string = dataFolder("porthole")): Promise<DaemonConnection | undefined> {
  return attachToClient({ stateDir, clock: systemClock, client: { name: "porthole", version } });
}

/** Calls `use` with the client that runs with the state folder. Rejects with the client's error, or `closed` when none is running. */
export async function withRunningClient<T>(
  stateDir: string = dataFolder("porthole"),
  use: (client: DaemonConnection) => Promise<T>,
): Promise<T> {
  const client = await attachIfRunning(stateDir);
  if (!client)
    throw new PortholeError("closed", `No client is running with the state folder ${stateDir}`, {
      hint: "Start one with porthole PORT --server HOST, or name its folder with --state-dir.",
    });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}
