import { PortholeError } from "@porthole/common/errors";
import { askControlSocket } from "@porthole/common/control";

/** What the relay that runs with this state folder answers. Rejects with its error, or `closed` when none is running. */
export async function askRelay<T>(stateDir: string, command: string, params?: unknown): Promise<T> {
  const answer = await askControlSocket({ stateDir, program: "relay" }, command, params);
  if (answer !== undefined) return answer as T;
  throw new PortholeError("closed", `No relay is running with the state folder ${stateDir}`, {
    hint: "Start one with porthole-relay, or name its folder with --state-dir.",
  });
}
