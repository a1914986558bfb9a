import { window } from "vscode";
import type { ExchangeSummary, InspectorChanges } from "@porthole/tunnel/rpc";
import { nameOf, type Controller } from "../controller/index.ts";
import { t } from "../text.ts";
import { editorSettings } from "../ui/vscode-host.ts";
import { inspect } from "./inspect.ts";
import type { ExchangeRef } from "@porthole/tunnel/requests";

/** Messages must not pile up when a sender tries again and again. */
const pauseMs = 10_000;
const webhookMethods: readonly string[] = ["POST", "PUT", "PATCH"];

/** Tells of webhooks as they come, if the user has asked for it. One message at a time for each port. */
export class RequestNotices {
  readonly #controller: Controller;
  readonly #show: (of: ExchangeRef) => Promise<void>;
  /** When a message was shown last, by port. */
  readonly #shownAt = new Map<string, number>();
  /** The newest request that was looked at, by port. */
  readonly #lastSeq = new Map<string, number>();

  constructor(controller: Controller, show: (of: ExchangeRef) => Promise<void>) {
    this.#controller = controller;
    this.#show = show;
  }

  apply(tunnel: string, { exchanges }: InspectorChanges): void {
    if (!editorSettings.get("porthole.notifyOnWebhook")) return;
    const last = this.#lastSeq.get(tunnel) ?? 0;
    const ended = exchanges.filter((each) => each.seq > last && each.state !== "open" && mayBeWebhook(each));
    const newest = ended.at(-1);
    if (!newest) return;
    this.#lastSeq.set(tunnel, newest.seq);
    if (Date.now() - (this.#shownAt.get(tunnel) ?? 0) < pauseMs) return;
    // The daemon may have gone in between; the list says so.
    void this.#tell(tunnel, newest).catch(() => {});
  }

  async #tell(tunnel: string, { id, method, target, status }: ExchangeSummary): Promise<void> {
    const exposure = this.#controller.find(tunnel);
    const { request } = await inspect(this.#controller, tunnel, "inspect/get", { id });
    // Browsers send it with every request of a page.
    if (!exposure || request.headers.some(({ name }) => name.toLowerCase() === "sec-fetch-mode")) return;
    this.#shownAt.set(tunnel, Date.now());
    const show = t("Show");
    const path = target.split("?", 1)[0] ?? "";
    const message = t("{0}: {1} {2} was answered with {3}", nameOf(exposure), method, path, status ?? t("failed"));
    if ((await window.showInformationMessage(message, show)) === show) await this.#show({ tunnel, id });
  }
}

function mayBeWebhook({ method, kind, replayOf }: ExchangeSummary): boolean {
  return webhookMethods.includes(method) && kind === "http" && replayOf === undefined;
}
