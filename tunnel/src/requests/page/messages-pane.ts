import type { MessageView } from "../../rpc/index.ts";
import { t } from "../text.ts";
import { messageOf, type DetailContext } from "./context.ts";
import { el, visible } from "./dom.ts";
import { bytes, duration } from "./format.ts";

/** Messages of one conversation that stay on the page. */
const maxShown = 1_000;

/** WebSocket messages and server-sent events, as they come. */
export class MessagesPane {
  readonly element: HTMLElement;
  readonly #context: DetailContext;
  readonly #query: { readonly id: string; readonly unredacted?: boolean };
  readonly #list = el("ol", { class: "messages", role: "log", aria: { label: t("Messages") } });
  #last = 0;
  #reading = false;

  constructor(context: DetailContext, id: string, unredacted: boolean) {
    this.#context = context;
    this.#query = { id, ...(unredacted ? { unredacted } : {}) };
    this.element = el("div", {}, this.#list);
  }

  /** Reads what is new. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    const { host, tunnel, say } = this.#context;
    try {
      for (let more = true; more;) {
        const result = await host.call(tunnel, "inspect/messages", { ...this.#query, after: this.#last });
        this.#append(result.messages);
        more = result.more && result.messages.length > 0;
      }
    } catch (reason) {
      say(messageOf(reason));
    } finally {
      this.#reading = false;
    }
  }

  #append(messages: readonly MessageView[]): void {
    const scrollers = [".panel", ".detail"].flatMap((each) => this.element.closest(each) ?? []);
    const isAtEnd = scrollers.every((each) => each.scrollTop + each.clientHeight >= each.scrollHeight - 4);
    this.#list.append(...messages.map(itemOf));
    this.#last = messages.at(-1)?.seq ?? this.#last;
    while (this.#list.childElementCount > maxShown) this.#list.firstElementChild?.remove();
    if (isAtEnd) for (const each of scrollers) each.scrollTop = each.scrollHeight;
  }
}

function itemOf(message: MessageView): HTMLElement {
  const { from, type, atMs, text, base64, closeCode, event, truncated } = message;
  const isIn = from === "visitor";
  const kind = event && event.name !== "message" ? event.name : type;
  const content = text ?? (base64 === undefined ? "" : t("{0} of binary data", bytes(message.bytes)));
  return el(
    "li",
    { class: isIn ? "in" : "out" },
    el(
      "span",
      { class: "direction", aria: { label: isIn ? t("from the visitor") : t("from the service") } },
      isIn ? "→" : "←",
    ),
    el("span", { class: "when" }, duration(atMs)),
    el("span", { class: "kind" }, visible(closeCode === undefined ? kind : `${kind} ${closeCode}`)),
    el("span", { class: "size" }, bytes(message.bytes)),
    el("span", { class: "text" }, visible(content) + (truncated ? " …" : "")),
  );
}
