import type { AcmeNetwork } from "@porthole/common/acme";
import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import { readOptions } from "@porthole/common/options";
import {
  prepareTunnel,
  runTunnel,
  type Dialers,
  type Endpoint,
  type RelayStatus,
  type TunnelState,
  type VisitReport,
} from "@porthole/tunnel/tunnel";
import type { Clock } from "@porthole/common/util";
import { JoinedRelays } from "@porthole/common/invite";
import { endpointTunnel, ExternalKeys, VisitorPolicy } from "@porthole/tunnel/rpc/daemon";
import { clientOptions, createDialers, tunnelSpec } from "porthole";
import type { Scope } from "./scope.ts";
import type { Transport } from "./transport.ts";
import { soon } from "./until.ts";

type Online = Extract<RelayStatus, { readonly status: "online" }>;

export interface TestClientOptions {
  /** Ports on 127.0.0.1, or host:port. */
  readonly servers: readonly (number | string)[];
  /** As on the command line. */
  readonly local?: string;
  readonly transport?: Transport;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly dialers?: Dialers;
  /** Where the certificate authority is; `args` have to name its directory. */
  readonly acmeNetwork?: AcmeNetwork;
}

/** A client in this process. */
export interface TestClient {
  readonly stateDir: string;
  readonly policy: VisitorPolicy;
  /** Every log line from the beginning, with its hint. */
  readonly log: readonly string[];
  readonly visits: readonly VisitReport[];
  readonly state: TunnelState;
  readonly endpoints: readonly Endpoint[];
  /** The first state from now on, the present one included, for which `find` returns something. Rejects when the tunnel ends. */
  when<T>(what: string, find: (state: TunnelState) => T | undefined, withinMs?: number): Promise<T>;
  /** One endpoint on one relay, online over what was asked for. */
  online(index?: { readonly endpoint?: number; readonly relay?: number }): Promise<Online>;
  /** A log line that is there or comes. */
  logged(text: RegExp): Promise<string>;
  visited(count: number): Promise<readonly VisitReport[]>;
  /** Resolves when the tunnel has been stopped, rejects with its error. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

export async function startTestClient(scope: Scope, options: TestClientOptions): Promise<TestClient> {
  const { transport, clock = scope.clock, args = [] } = options;
  const stateDir = args.includes("--state-dir") ? String(args[args.indexOf("--state-dir") + 1]) : await scope.folder();
  const argv = [
    ...options.servers.flatMap((server) => ["--server", typeof server === "number" ? `127.0.0.1:${server}` : server]),
    ...(options.local === undefined ? [] : ["--local", options.local]),
    ...(transport === "http2" ? ["--force-h2"] : []),
    ...(args.includes("--state-dir") ? [] : ["--state-dir", stateDir]),
    ...args,
  ];
  const lines: string[] = [];
  const visits: VisitReport[] = [];
  const watchers = new Set<() => void>();
  let state: TunnelState = { endpoints: [] };
  const changed = (): void => {
    for (const watcher of watchers) watcher();
  };
  const line = (fields: object, message: string): void => {
    lines.push("hint" in fields ? `${message}. ${String(fields.hint)}` : message);
    changed();
  };
  const log: Logger = { debug: () => {}, info: line, warn: line, error: line };
  const { values } = readOptions(clientOptions, argv, options.env ?? {});
  const spec = tunnelSpec(values, stateDir);
  const externalKeys = new ExternalKeys({ stateDir, clock, log });
  const context = { stateDir, joined: await JoinedRelays.open(stateDir), owner: undefined, externalKeys };
  const settings = endpointTunnel(spec, "primary", context);
  const second = spec.secondary ? endpointTunnel(spec, "secondary", context).endpoints : [];
  const endpoints = [...settings.endpoints, ...second];
  const prepared = await prepareTunnel({ ...settings, endpoints }, { clock, log });
  const policy = new VisitorPolicy({ id: "test", stateDir, clock, log, onInspect: () => {} });
  scope.defer(() => policy.close());
  const useRules = await policy.prepare(spec, prepared.endpoints[0]?.key.clientId ?? "");
  await useRules();
  for (const { gateway } of prepared.endpoints) gateway.update(policy.options);
  const stop = new AbortController();
  const ended = runTunnel(
    {
      ...prepared,
      acmeFor(endpoint) {
        const acme = prepared.acmeFor?.(endpoint);
        return acme && { ...acme, network: options.acmeNetwork };
      },
      dialers: options.dialers ?? createDialers(values.proxy),
      software: "porthole-test",
      clock,
      log,
      onState(next) {
        state = next;
        changed();
      },
      onVisit(report) {
        visits.push(report);
        changed();
      },
    },
    stop.signal,
  );
  ended.catch(() => {});
  const client: TestClient = {
    stateDir,
    policy,
    log: lines,
    visits,
    endpoints: prepared.endpoints,
    get state() {
      return state;
    },
    when: (what, find, withinMs) =>
      soon(
        found(() => find(state)),
        () => `${what}; the state is ${JSON.stringify(state)}`,
        withinMs,
      ),
    online: ({ endpoint = 0, relay = 0 } = {}) =>
      client.when("online", (now) => {
        const status = now.endpoints[endpoint]?.relays[relay]?.now;
        return status?.status === "online" && (!transport || status.transport === transport) ? status : undefined;
      }),
    logged: (text) =>
      soon(
        found(() => lines.find((each) => text.test(each))),
        () => `${text} in the log:\n${lines.join("\n")}`,
      ),
    visited: (count) =>
      soon(
        found(() => (visits.length >= count ? visits : undefined)),
        () => `visit ${count} of ${visits.length}`,
      ),
    ended,
    async stop() {
      stop.abort(new PortholeError("aborted", "The test is over"));
      await soon(
        ended.catch(() => {}),
        "the client to stop",
      );
    },
  };
  scope.defer(() => client.stop());
  return client;

  function found<T>(find: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const answer = find();
        if (answer === undefined) return;
        watchers.delete(look);
        resolve(answer);
      };
      watchers.add(look);
      ended.then(look, (reason: unknown) => {
        look();
        reject(PortholeError.from(reason));
      });
      look();
    });
  }
}
