import { PortholeError } from "@porthole/common/errors";
import type { DaemonConnection } from "@porthole/tunnel/rpc";
import type { ClientValues } from "../options.ts";
import { withRuntime } from "../run.ts";
import { attachIfRunning } from "../running-client.ts";

/**
 * The client whose tunnels the assistant sees: the one that runs with the state folder, or one of our own, which is started when
 * something is to be exposed and none runs.
 */
export class McpClient {
  readonly #values: ClientValues;
  readonly #end = new AbortController();
  #connection: Promise<DaemonConnection | undefined> | undefined;
  #own: Promise<unknown> | undefined;

  constructor(values: ClientValues) {
    this.#values = values;
  }

  /** The client that runs, if one does. */
  async attached(): Promise<DaemonConnection | undefined> {
    const present = this.#connection ?? attachIfRunning(this.#values["state-dir"]);
    this.#connection = present;
    const connection = await present.catch((reason: unknown) => {
      this.#connection = undefined;
      throw reason;
    });
    // Asked again the next time: one may have been started by then.
    if (!connection) this.#connection = undefined;
    void connection?.closed.then(() => {
      if (this.#connection === present) this.#connection = undefined;
    });
    return connection;
  }

  /** The client that runs, or our own. Rejects when that can't start. */
  async started(): Promise<DaemonConnection> {
    const running = await this.attached();
    if (running) return running;
    await this.#startOwn();
    const connection = await this.attached();
    if (connection) return connection;
    throw new PortholeError("state", "The client has started, but its command socket can't be used");
  }

  /** Ends what was started here. Tunnels that were started in another program's client end with the connection. */
  async close(): Promise<void> {
    this.#end.abort();
    const connection = await this.#connection?.catch(() => undefined);
    connection?.close();
    await this.#own?.catch(() => {});
  }

  /** Resolves once it takes commands. One that has ended is started again the next time. */
  async #startOwn(): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      const hint = "Its tunnels can be used as well.";
      this.#own = withRuntime(this.#values, hint, async ({ shutDown }) => {
        resolve();
        const end = AbortSignal.any([shutDown, this.#end.signal]);
        await new Promise<void>((over) => {
          if (end.aborted) over();
          else end.addEventListener("abort", () => over(), { once: true });
        });
      });
      this.#own.catch(reject);
    });
    await opened.catch(async (reason: unknown) => {
      // Another one was faster: it is as good.
      if (!(await this.attached().catch(() => undefined))) throw reason;
    });
  }
}
