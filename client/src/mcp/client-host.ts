import { PortholeError } from "@porthole/common/errors";
import { dataFolder, systemClock, withDeadline } from "@porthole/common/util";
import type { AssistantHost, AssistantTunnel, ExposeRequest } from "@porthole/tunnel/assistant";
import { localService } from "@porthole/tunnel/gateway";
import { fromRpcErrorData, type DaemonConnection, type TunnelInfo, type TunnelSpec } from "@porthole/tunnel/rpc";
import { tunnelSpecs } from "../config.ts";
import type { ClientValues } from "../options.ts";
import { describeAccess, describeStatus } from "../text.ts";
import type { McpClient } from "./own-client.ts";

const onlineTimeoutMs = 60_000;

/** Asks the person at the other end. Rejects with `aborted` when they say no, and with `usage` when nobody can be asked. */
export type AskUser = (question: string, request: ExposeRequest, signal: AbortSignal) => Promise<void>;

/** The command line's tunnels, for AI assistants. */
export class ClientHost implements AssistantHost {
  readonly #client: McpClient;
  readonly #values: ClientValues;
  readonly #ask: AskUser;

  constructor(client: McpClient, values: ClientValues, ask: AskUser) {
    this.#client = client;
    this.#values = values;
    this.#ask = ask;
  }

  connection(): Promise<DaemonConnection | undefined> {
    return this.#client.attached();
  }

  async tunnels(): Promise<readonly AssistantTunnel[]> {
    const connection = await this.#client.attached();
    const { tunnels } = connection ? await connection.call("tunnel/list", {}) : { tunnels: [] };
    return tunnels.map(view);
  }

  async expose(request: ExposeRequest, signal: AbortSignal) {
    const { text } = localService.parse(String(request.port));
    const before = (await this.tunnels()).find(({ local }) => local === text || local === String(request.port));
    if (before) return { tunnel: before, note: "It was exposed already; nothing has changed." };
    // The rules are known before anything is started: the question names them.
    const { access } = this.#spec(request, [{ address: "unknown" }]);
    const who = access ? `Only ${describeSpec(access)} can visit.` : "Anyone with the URL can visit.";
    await this.#ask(`Expose port ${request.port} to the internet? ${who}`, request, signal);
    const connection = await this.#client.started();
    const { relays } = await connection.call("relay/list", {}, { signal });
    const spec = this.#spec(request, relays);
    await connection.call("tunnel/start", { ...spec, untilCallerLeaves: true });
    try {
      const tunnel = await this.#online(connection, spec.id, signal);
      const note = spec.access?.share
        ? `Visitors need a share link. The user makes one: porthole share --tunnel ${spec.id}`
        : undefined;
      return { tunnel, ...(note === undefined ? {} : { note }) };
    } catch (reason) {
      await connection.call("tunnel/stop", { id: spec.id }).catch(() => {});
      throw reason;
    }
  }

  async stop(id: string): Promise<void> {
    await (await this.#client.attached())?.call("tunnel/stop", { id });
  }

  #spec(request: ExposeRequest, relays: NonNullable<TunnelSpec["relays"]>): TunnelSpec {
    const values = this.#values;
    const stateDir = values["state-dir"] ?? dataFolder("porthole");
    const service = localService.parse(String(request.port));
    const [spec] = tunnelSpecs(values, [{ name: String(request.port), service }], stateDir, relays);
    if (!spec) throw new PortholeError("internal", "There is no tunnel for the port");
    // Rules of the command line hold; an assistant can't add a way in to them.
    return spec.access || request.access === "public" ? spec : { ...spec, access: { share: true } };
  }

  async #online(connection: DaemonConnection, id: string, signal: AbortSignal): Promise<AssistantTunnel> {
    let wake = (): void => {};
    const off = connection.on("tunnel/state", () => wake());
    const options = { clock: systemClock, delayMs: onlineTimeoutMs, what: "A relay's answer", signal };
    try {
      return await withDeadline(options, async (within) => {
        const onAbort = (): void => wake();
        within.addEventListener("abort", onAbort, { once: true });
        for (;;) {
          const changed = new Promise<void>((resolve) => {
            wake = resolve;
          });
          const { tunnels } = await connection.call("tunnel/list", {}, { signal: within });
          const info = tunnels.find((each) => each.id === id);
          if (!info) throw new PortholeError("aborted", "The tunnel was stopped");
          if (info.state.ended?.error) throw fromRpcErrorData(info.state.ended.error);
          if (isOnline(info)) return view(info);
          await changed;
          within.throwIfAborted();
        }
      });
    } finally {
      off();
    }
  }
}

function describeSpec({ users, bearerTokens, share, webhook }: NonNullable<TunnelSpec["access"]>): string {
  const ways = [
    ...(users ? ["a password"] : []),
    ...(bearerTokens ? ["a token"] : []),
    ...(share ? ["a share link"] : []),
    ...(webhook ? [`a signature of ${webhook.scheme}`] : []),
  ];
  return ways.length > 0 ? `visitors with ${ways.join(" or ")}` : "visitors whom the access options admit";
}

function isOnline({ state }: TunnelInfo): boolean {
  return state.endpoints[0]?.relays.some(({ now }) => now.status === "online") === true;
}

function view({ id, state }: TunnelInfo): AssistantTunnel {
  const [endpoint] = state.endpoints;
  const relays = endpoint?.relays.map(({ address, now }) => describeStatus(address, now, systemClock.now())) ?? [];
  const { access } = endpoint?.gateway ?? {};
  return {
    id,
    local: endpoint?.local ?? "",
    urls: endpoint?.urls ?? [],
    state: state.ended ? "stopped" : relays.join("; "),
    access: access ? describeAccess(access) : "lets in everybody",
  };
}
