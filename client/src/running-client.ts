import { PortholeError } from "@porthole/common/errors";
import { dataFolder } from "@porthole/common/util";
import { askControlSocket, followControlSocket, type ControlPlace } from "@porthole/common/control";

/** The client that runs with a state folder, as commands reach it. */
export interface RunningClient {
  /** Rejects with the client's error, or `closed` when none is running. */
  ask<T>(command: string, params?: unknown): Promise<T>;
  /** Line by line, until the client ends or the signal aborts. */
  follow<T>(command: string, signal: AbortSignal): AsyncGenerator<T, void>;
}

export function runningClient(stateDir: string = dataFolder("porthole")): RunningClient {
  const place: ControlPlace = { stateDir, program: "client" };
  return {
    async ask<T>(command: string, params?: unknown): Promise<T> {
      const answer = await askControlSocket(place, command, params);
      if (answer !== undefined) return answer as T;
      throw new PortholeError("closed", `No client is running with the state folder ${stateDir}`, {
        hint: "Start one with porthole PORT --server HOST, or name its folder with --state-dir.",
      });
    },
    follow: <T>(command: string, signal: AbortSignal) =>
      followControlSocket(place, command, { signal }) as AsyncGenerator<T, void>,
  };
}
