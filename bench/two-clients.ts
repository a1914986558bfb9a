import { figuresOf, until } from "@porthole/testing/end-to-end";
import { childOf } from "@porthole/testing/netlab";
import type { Target } from "./load.ts";
import { start, waitForLine, withRelay, type Running } from "./processes.ts";

export interface TwoClients {
  /** Visitors of a client that uses HTTP/2 only, and of one that has QUIC now. */
  readonly http2: Target;
  readonly quic: Target;
  readonly apiPort: number;
  /** The present process that serves QUIC. */
  workerPid(): number | undefined;
  /** What the relay counts, by name and labels. */
  figures(): Promise<ReadonlyMap<string, number>>;
}

/** One relay with a client over each transport, all in processes of their own. `env`: of the relay. */
export async function withTwoClients(
  work: (world: TwoClients) => Promise<void>,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  await withRelay(
    async (relay, ports, stateDir) => {
      const started: Running[] = [start("bench/service.ts", [])];
      try {
        const servicePort = await waitForLine(started[0] as Running, (line) => line);
        const client = async (transport: "h2" | "auto"): Promise<Target> => {
          const running = start("client/src/main.ts", [
            ...[servicePort, "--server", `127.0.0.1:${ports.api}`, "--transport", transport],
            ...["--state-dir", `${stateDir}/${transport}`],
          ]);
          started.push(running);
          const name = await waitForLine(running, (line) => /^URL: https:\/\/([^:]+)/.exec(line)?.[1]);
          return { port: ports.public, name };
        };
        const world: TwoClients = {
          http2: await client("h2"),
          quic: await client("auto"),
          apiPort: ports.api,
          workerPid: () => childOf(relay.child.pid ?? 0),
          figures: () => figuresOf(ports.admin),
        };
        await until(() => hasQuic(world), "the client has QUIC");
        await work(world);
      } finally {
        for (const running of started.toReversed()) await running.stop();
      }
    },
    ["--admin-port", "0", ...args],
    env,
  );
}

export async function hasQuic({ figures }: TwoClients): Promise<boolean> {
  return ((await figures()).get('porthole_links{transport="quic"}') ?? 0) > 0;
}
