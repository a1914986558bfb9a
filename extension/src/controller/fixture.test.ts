import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import type {
  DaemonConnection,
  EndpointView,
  Method,
  RelayStatusView,
  TunnelSpec,
  TunnelStateView,
} from "@porthole/tunnel/rpc";
import { FakeClock } from "@porthole/testing";
import { settings as settingSpecs, type SettingTypes } from "../manifest/index.ts";
import type { RunningDaemon } from "./daemon-supervisor.ts";
import { Controller } from "./controller.ts";

/** A daemon that does what it is told at once, and remembers it. */
export class FakeDaemon implements DaemonConnection {
  readonly calls: { readonly method: Method; readonly params: unknown }[] = [];
  readonly closed: Promise<PortholeError>;
  readonly answers: Partial<Record<Method, unknown>> = {
    "trialRelay/start": { relay: { address: "127.0.0.1:1" }, publicPort: 9443 },
  };
  #end: (reason: PortholeError) => void = () => {};
  readonly #listeners = new Map<string, (params: never) => void>();

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  call = async (method: Method, params: unknown): Promise<never> => {
    this.calls.push({ method, params });
    const answer = this.answers[method] ?? {};
    if (answer instanceof PortholeError) throw answer;
    return answer as never;
  };

  on = (name: string, listener: (params: never) => void): (() => void) => {
    this.#listeners.set(name, listener);
    return () => this.#listeners.delete(name);
  };

  close = (): void => this.die(new PortholeError("aborted", "closed"));

  die(reason = new PortholeError("closed", "The tunnel process has ended with SIGKILL")): void {
    this.#end(reason);
  }

  tell(id: string, state: TunnelStateView): void {
    this.#listeners.get("tunnel/state")?.({ id, state } as never);
  }

  /** Says that the tunnel is online, or whatever the relay's state is. */
  tellRelay(id: string, now: RelayStatusView = online, more: Partial<EndpointView> = {}): void {
    this.tell(id, { endpoints: [{ ...endpoint, relays: [{ address: "relay.example:4433", now }], ...more }] });
  }

  specs(): TunnelSpec[] {
    return this.calls.flatMap(({ method, params }) => (method === "tunnel/start" ? [params as TunnelSpec] : []));
  }
}

export const online = {
  status: "online",
  transport: "quic",
  links: 1,
  hostnames: ["abc.relay.example"],
  urls: ["https://abc.relay.example"],
} as const satisfies RelayStatusView;

export const endpoint: EndpointView = {
  role: "primary",
  clientId: "abc",
  fingerprint: "def",
  local: "localhost:3000",
  urls: ["https://abc.relay.example"],
  relays: [],
  gateway: { mode: "auto", headers: "auto", routes: [], paused: false, adapted: [] },
  certificates: [],
};

const folders: string[] = [];

/** A folder for leases, gone when the tests are over. Windows that are given the same one share their ports. */
export function newLeaseFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "porthole-leases-"));
  folders.push(folder);
  return folder;
}

after(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export interface TestController {
  readonly controller: Controller;
  readonly clock: FakeClock;
  /** Every daemon that was started, the last one last. */
  readonly daemons: readonly FakeDaemon[];
  readonly secrets: Map<string, string>;
  readonly settings: SettingTypes;
  readonly owners: readonly string[];
  stored: unknown;
  /** What the user has agreed to of the project. */
  adopted: unknown;
  isTrusted: boolean;
  /** The window answers. */
  isThere: boolean;
  /** Makes the next start of the daemon fail. */
  failure: PortholeError | undefined;
}

export function testController(
  given: {
    readonly stored?: unknown;
    readonly isTrusted?: boolean;
    readonly leaseFolder?: string;
    readonly requestsFolder?: string;
  } = {},
): TestController {
  const clock = new FakeClock();
  const daemons: FakeDaemon[] = [];
  const secrets = new Map<string, string>();
  const owners: string[] = [];
  const settings = Object.fromEntries(
    Object.entries(settingSpecs).map(([id, spec]) => [id, spec.default]),
  ) as unknown as { -readonly [K in keyof SettingTypes]: SettingTypes[K] };
  settings["porthole.relays"] = [{ address: "relay.example:4433" }];
  const test: TestController = {
    isThere: true,
    clock,
    daemons,
    secrets,
    settings,
    owners,
    stored: given.stored,
    adopted: undefined,
    isTrusted: given.isTrusted ?? true,
    failure: undefined,
    controller: new Controller({
      clock,
      settings: {
        get: (id) => settings[id],
        set: async (id, value) => {
          settings[id] = value;
        },
      },
      secrets: {
        get: async (key) => secrets.get(key),
        set: async (key, value) => void secrets.set(key, value),
        delete: async (key) => void secrets.delete(key),
      },
      store: {
        get: () => test.stored,
        set: async (value) => {
          // As the editor keeps it.
          test.stored = JSON.parse(JSON.stringify(value));
        },
      },
      projectStore: {
        get: () => test.adopted,
        set: async (value) => {
          test.adopted = JSON.parse(JSON.stringify(value));
        },
      },
      workspace: {
        folder: "file:///app",
        get isTrusted() {
          return test.isTrusted;
        },
      },
      leaseFolder: given.leaseFolder ?? newLeaseFolder(),
      requestsFolder: given.requestsFolder ?? newLeaseFolder(),
      askWindow: () => (test.isThere ? Promise.resolve() : new Promise(() => {})),
      startDaemon: async (owner): Promise<RunningDaemon> => {
        owners.push(owner);
        if (test.failure) throw test.failure;
        const daemon = new FakeDaemon();
        daemons.push(daemon);
        return {
          connection: daemon as DaemonConnection,
          info: { rpcVersion: 1, version: "0", node: "20", quic: { available: true } },
          pid: 1,
        };
      },
      onLog: () => {},
      random: () => 0.999,
    }),
  };
  return test;
}
