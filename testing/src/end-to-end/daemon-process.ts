import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { connectDaemon, type RelayStatusView } from "@porthole/tunnel/rpc";
import { soon } from "./until.ts";
import type { Scope } from "./scope.ts";

type NowIn<S extends RelayStatusView["status"]> = Extract<RelayStatusView, { readonly status: S }>;

/** A program of ours in a process of its own that is driven over its standard streams, with one tunnel over HTTP/2. */
export interface DaemonProcess {
  /** What the relay's state says when it first has this status. */
  relay<S extends RelayStatusView["status"]>(status: S): Promise<NowIn<S>>;
  /** Everything that others could see of it: its command line, what it printed, the notifications it sent. */
  seen(): string;
  /** Rejects unless it ends as it should. */
  shutDown(): Promise<void>;
}

export interface DaemonProcessOptions {
  /** The program's file, from the repository's root, and its arguments. */
  readonly argv: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly relay: { readonly address: string; readonly fingerprint?: string };
}

export async function startDaemonProcess(
  scope: Scope,
  { argv, env = process.env, relay }: DaemonProcessOptions,
): Promise<DaemonProcess> {
  const root = join(import.meta.dirname, "../../..");
  const child = spawn(process.execPath, ["--conditions=source", ...argv], { cwd: root, env });
  const exited = once(child, "exit");
  scope.defer(() => child.kill("SIGKILL"));
  const seen = [child.spawnargs.join(" ")];
  child.stderr.setEncoding("utf8").on("data", (text: string) => void seen.push(text));
  const daemon = connectDaemon({ input: child.stdout, output: child.stdin });
  const states: RelayStatusView[] = [];
  let look = (): void => {};
  daemon.on("log", (line) => void seen.push(JSON.stringify(line)));
  daemon.on("tunnel/state", ({ state }) => {
    seen.push(JSON.stringify(state));
    states.push(...(state.endpoints[0]?.relays.map(({ now }) => now) ?? []));
    look();
  });
  const client = { name: "test", version: "1" };
  await daemon.call("initialize", { rpcVersion: 1, client, stateDir: await scope.folder(), logLevel: "debug" });
  const { pem } = await daemon.call("identity/create", {});
  const primary = { identity: { pem }, local: "9" };
  await daemon.call("tunnel/start", { id: "web", relays: [relay], primary, transport: "h2", poolSize: 1 });
  return {
    seen: () => seen.join("\n"),
    relay: <S extends RelayStatusView["status"]>(status: S) =>
      soon(
        new Promise<NowIn<S>>((resolve) => {
          look = () => {
            const found = states.find((now): now is NowIn<S> => now.status === status);
            if (found) resolve(found);
          };
          look();
        }),
        () => `the relay to be ${status}; told was ${JSON.stringify(states)}`,
      ),
    async shutDown() {
      await daemon.call("shutdown", {});
      const [code, signal] = (await soon(exited, "the end of the process")) as [number | null, string | null];
      if (code !== 0) throw new Error(`It ended with ${signal ?? code}: ${seen.join("\n")}`);
    },
  };
}
