import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { connectDaemon, type DaemonConnection, type NotificationName, type Notifications } from "@porthole/tunnel/rpc";
import { runDaemon, type DaemonOptions } from "@porthole/tunnel/rpc/daemon";
import { createDialers } from "porthole";
import type { Scope } from "./scope.ts";
import { assertContract } from "./contract.ts";
import { soon } from "./until.ts";

/** A daemon in this process, and the connection that drives it. */
export interface TestDaemon {
  readonly daemon: DaemonConnection;
  readonly stateDir: string;
  /** The first notification from the beginning on for which `find` returns something. */
  told<N extends NotificationName, T>(
    name: N,
    what: string,
    find: (params: Notifications[N]) => T | undefined,
  ): Promise<T>;
  /** Resolves when nothing of the daemon is left. */
  readonly ended: Promise<void>;
}

export interface TestDaemonOptions extends Partial<DaemonOptions> {
  /** The key that relays know the person by, as PEM. */
  readonly owner?: string;
}

export async function startTestDaemon(
  scope: Scope,
  { owner, ...options }: TestDaemonOptions = {},
): Promise<TestDaemon> {
  const { daemon, ended } = startRawDaemon(scope, options);
  const told: { readonly name: string; readonly params: unknown }[] = [];
  const watchers = new Set<() => void>();
  const faults: unknown[] = [];
  /** A listener's error would end nothing. */
  const check = (name: NotificationName, params: unknown): void => {
    try {
      assertContract(name, params);
    } catch (reason) {
      faults.push(reason);
    }
  };
  for (const name of ["tunnel/state", "tunnel/visit", "tunnel/request", "inspect/exchange", "log"] as const)
    daemon.on(name, (params) => {
      check(name, params);
      told.push({ name, params });
      for (const watcher of watchers) watcher();
    });
  scope.defer(() => assert.deepEqual(faults, []));
  const stateDir = await scope.folder();
  await daemon.call("initialize", {
    rpcVersion: 1,
    client: { name: "test", version: "1" },
    stateDir,
    ...(owner === undefined ? {} : { owner: { pem: owner } }),
  });
  return {
    daemon,
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

/** The connection, whose answers have to be what the contract says. */
function checked(daemon: DaemonConnection): DaemonConnection {
  return {
    closed: daemon.closed,
    on: (name, listener) => daemon.on(name, listener),
    close: () => daemon.close(),
    async call(method, params, init) {
      const answer = await daemon.call(method, params, init);
      assertContract(method, answer);
      return answer;
    },
  };
}

/** Not initialized. Ends with the test. */
export function startRawDaemon(
  scope: Scope,
  options: Partial<DaemonOptions> = {},
): { readonly daemon: DaemonConnection; readonly ended: Promise<void> } {
  const up = new PassThrough();
  const down = new PassThrough();
  const ended = runDaemon(
    { input: up, output: down },
    { dialers: createDialers(), clock: scope.clock, ...options },
    new AbortController().signal,
  );
  const daemon = checked(connectDaemon({ input: down, output: up }));
  scope.defer(async () => {
    daemon.close();
    await soon(ended, "the end of the daemon");
  });
  return { daemon, ended };
}
