import { PortholeError } from "@porthole/common/errors";
import { dataFolder } from "@porthole/common/util";
import type { DaemonConnection, TunnelInfo, TunnelSpec } from "@porthole/tunnel/rpc";
import { tunnelSpecs } from "./config.ts";
import type { ClientValues } from "./options.ts";
import type { Reporter } from "./reporter.ts";
import { attachIfRunning, mainTunnel } from "./running-client.ts";
import { nameTargets, type NamedTarget, type Target } from "./targets.ts";
import { tunnelsAreOver, type TunnelEvents } from "./tunnels-are-over.ts";

/** A client that runs, and tunnels that are about to start in it. */
export interface Joined {
  readonly targets: readonly NamedTarget[];
  /**
   * Starts the tunnels, shows them, and stops them when the signal aborts. `gone`: the client has ended first. Rejects when they
   * can't start, or every relay has refused.
   */
  run(reporter: Reporter, stop: AbortSignal): Promise<"over" | "gone">;
  close(): void;
}

/** Undefined when no client runs. Throws `usage` when a name or a service is taken. The caller closes it. */
export async function joinClient(
  values: ClientValues,
  given: readonly Target[],
  named: readonly NamedTarget[] | undefined,
): Promise<Joined | undefined> {
  const stateDir = values["state-dir"] ?? dataFolder("porthole");
  const client = await attachIfRunning(stateDir);
  if (!client) return undefined;
  try {
    const { tunnels } = await client.call("tunnel/list", {});
    const running = tunnels.filter(({ state }) => !state.ended);
    const targets =
      named ??
      nameTargets(
        given,
        running.some(({ id }) => id === mainTunnel),
      );
    given.forEach((target, index) => checkFree(target, targets[index]?.name ?? "", running));
    const { relays } = await client.call("relay/list", {});
    const specs = tunnelSpecs(values, targets, stateDir, relays);
    return {
      targets,
      run: (reporter, stop) => runWithin(client, specs, reporter, stop),
      close: () => client.close(),
    };
  } catch (reason) {
    client.close();
    // It has ended just now.
    if (reason instanceof PortholeError && reason.code === "closed") return undefined;
    throw reason;
  }
}

async function runWithin(
  client: DaemonConnection,
  specs: readonly TunnelSpec[],
  reporter: Reporter,
  stop: AbortSignal,
): Promise<"over" | "gone"> {
  const names = specs.map(({ id }) => id);
  const over = tunnelsAreOver(eventsOf(client), names, reporter, [stop]);
  const gone = client.closed.then(() => "gone" as const);
  try {
    for (const spec of specs) await client.call("tunnel/start", { ...spec, untilCallerLeaves: true });
    return await Promise.race([over.then(() => "over" as const), gone]);
  } finally {
    // Those that are over already are errors, and so is a client that has ended.
    await Promise.all(names.map((id) => client.call("tunnel/stop", { id }).catch(() => {})));
  }
}

/** The user has not named it: the same port again is rather a second terminal than a second address. */
function checkFree({ name: given, service }: Target, name: string, running: readonly TunnelInfo[]): void {
  const sameName = running.find(({ id }) => id === name);
  const same = running.find(({ state }) => state.endpoints.some(({ local }) => local === service.text));
  if (given === undefined && same)
    throw new PortholeError("usage", `${service.text} is exposed already: ${urlOf(same) ?? same.id}`, {
      hint: `See porthole ls. For a second address give it a name: porthole NAME=${service.text}.`,
    });
  if (sameName)
    throw new PortholeError("usage", `A tunnel called ${name} runs already: ${urlOf(sameName) ?? ""}`, {
      hint: `Choose another name, or stop it first: porthole stop ${name}.`,
    });
}

function urlOf({ state }: TunnelInfo): string | undefined {
  return state.endpoints[0]?.urls[0];
}

function eventsOf(client: DaemonConnection): TunnelEvents {
  return {
    subscribe(listener) {
      const ends = [
        client.on("tunnel/state", (params) => listener.state(params)),
        client.on("tunnel/visit", (params) => listener.visit(params)),
        client.on("tunnel/request", (params) => listener.request(params)),
        client.on("log", (line) => listener.log(line)),
      ];
      return () => ends.forEach((end) => end());
    },
  };
}
