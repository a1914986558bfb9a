import { PassThrough } from "node:stream";
import { connectAgent, type AgentConnection, type NotificationName, type Notifications } from "@porthole/tunnel/rpc";
import { runAgent, type AgentOptions } from "@porthole/tunnel/rpc/daemon";
import { createDialers } from "porthole";
import type { Scope } from "./scope.ts";
import { soon } from "./until.ts";

/** An agent in this process, and the connection of whoever drives it. */
export interface TestAgent {
  readonly agent: AgentConnection;
  readonly stateDir: string;
  /** The first notification from the beginning on for which `find` answers something. */
  told<N extends NotificationName, T>(
    name: N,
    what: string,
    find: (params: Notifications[N]) => T | undefined,
  ): Promise<T>;
  /** Resolves when nothing of the agent is left. */
  readonly ended: Promise<void>;
}

export interface TestAgentOptions extends Partial<AgentOptions> {
  /** The key that relays know the person by, as PEM. */
  readonly member?: string;
}

export async function startTestAgent(scope: Scope, { member, ...options }: TestAgentOptions = {}): Promise<TestAgent> {
  const { agent, ended } = startRawAgent(scope, options);
  const told: { readonly name: string; readonly params: unknown }[] = [];
  const watchers = new Set<() => void>();
  for (const name of ["tunnel/state", "tunnel/visit", "tunnel/request", "inspect/exchange", "log"] as const)
    agent.on(name, (params) => {
      told.push({ name, params });
      for (const watcher of watchers) watcher();
    });
  const stateDir = await scope.folder();
  await agent.call("initialize", {
    rpcVersion: 1,
    client: { name: "test", version: "1" },
    stateDir,
    ...(member === undefined ? {} : { member: { pem: member } }),
  });
  return {
    agent,
    stateDir,
    ended,
    told: (name, what, find) =>
      soon(
        new Promise((resolve) => {
          const look = (): void => {
            for (const each of told) {
              if (each.name !== name) continue;
              const found = find(each.params as never);
              if (found === undefined) continue;
              watchers.delete(look);
              resolve(found);
              return;
            }
          };
          watchers.add(look);
          look();
        }),
        () => `${name} that says ${what}; told was ${JSON.stringify(told)}`,
      ),
  };
}

/** Not initialized. Ends with the test. */
export function startRawAgent(
  scope: Scope,
  options: Partial<AgentOptions> = {},
): { readonly agent: AgentConnection; readonly ended: Promise<void> } {
  const up = new PassThrough();
  const down = new PassThrough();
  const ended = runAgent(
    { input: up, output: down },
    { dialers: createDialers(), clock: scope.clock, ...options },
    new AbortController().signal,
  );
  const agent = connectAgent({ input: down, output: up });
  scope.defer(async () => {
    agent.close();
    await soon(ended, "the end of the agent");
  });
  return { agent, ended };
}
