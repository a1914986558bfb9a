import { Disposable, EventEmitter, window } from "vscode";
import { PortholeError } from "@porthole/common/errors";
import type { DaemonConnection } from "@porthole/tunnel/rpc";
import type { PortholeApi, ReceivedRequest } from "../api.ts";
import { errorText, urlOf, type Controller } from "../controller/index.ts";
import { t } from "../text.ts";
import { exposeForOthers, questionFor } from "./expose-for-others.ts";

const maxReasonChars = 300;

/** The API for other extensions, and what feeds its events. */
export class ExtensionApi {
  readonly api: PortholeApi;
  readonly #controller: Controller;
  readonly #changed = new EventEmitter<void>();
  readonly #requests = new EventEmitter<ReceivedRequest>();
  readonly #off: () => void;

  constructor(controller: Controller) {
    this.#controller = controller;
    this.#off = controller.onChange(() => this.#changed.fire());
    this.api = Object.freeze<PortholeApi>({
      version: 1,
      expose: async (port, options) => this.#expose(port, options),
      stop: async (port) => this.#stop(port),
      urlOf: (port) => this.#urlOf(port),
      onDidChange: this.#changed.event,
      onDidReceiveRequest: this.#requests.event,
    });
  }

  /** A new daemon is there. */
  onDaemon(connection: DaemonConnection): void {
    const told = new Set<string>();
    connection.on("inspect/exchange", ({ id, changes }) => {
      const port = this.#controller.find(id)?.target.port;
      for (const { id: exchange, state, method, target, status, startedAt, durationMs } of changes.exchanges) {
        if (port === undefined || state === "open" || told.has(exchange)) continue;
        told.add(exchange);
        this.#requests.fire({
          ...{ port, id: exchange, method, target, startedAt },
          ...(status === undefined ? {} : { status }),
          ...(durationMs === undefined ? {} : { durationMs }),
        });
      }
      for (const gone of changes.removed) told.delete(gone);
    });
  }

  dispose(): void {
    this.#off();
    Disposable.from(this.#changed, this.#requests).dispose();
  }

  async #expose(port: number, { label, reason, access = "share" }: Parameters<PortholeApi["expose"]>[1] = {}) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535)
      throw new PortholeError("usage", t("Ports are from 1 to 65535; this is {0}", String(port)));
    const request = { port, label, access: access === "public" ? "public" : "share" } as const;
    const question = await questionFor(this.#controller, request);
    if (question !== undefined) {
      const expose = t("Expose");
      const detail = (reason ?? t("Another extension wants a public URL.")).slice(0, maxReasonChars);
      const choice = await window.showWarningMessage(question, { modal: true, detail }, expose);
      if (choice !== expose) throw new PortholeError("aborted", `The user does not want port ${port} to be exposed`);
    }
    try {
      const { url } = await exposeForOthers(this.#controller, request);
      return { port, url };
    } catch (cause) {
      throw new Error(errorText(PortholeError.from(cause)), { cause: cause });
    }
  }

  async #stop(port: number): Promise<void> {
    const exposure = this.#find(port);
    if (exposure && exposure.phase !== "off") await this.#controller.stop(exposure.id);
  }

  #urlOf(port: number): string | undefined {
    const exposure = this.#find(port);
    return exposure?.phase === "on" ? urlOf(exposure) : undefined;
  }

  #find(port: number) {
    return this.#controller.find(
      this.#controller.idOf({ host: "localhost", port, scheme: undefined, label: undefined }),
    );
  }
}
