import type { BodyInfo, ExchangeDetail } from "../../rpc/index.ts";
import { translated } from "../daemon-texts.ts";
import { t } from "../text.ts";
import { BodyPane } from "./body.ts";
import { messageOf, type DetailContext } from "./context.ts";
import { button, el, iconButton, visible } from "./dom.ts";
import { bytes } from "./format.ts";
import { headersOf } from "./headers.ts";
import { MessagesPane } from "./messages-pane.ts";
import { keyOf } from "./rows.ts";
import { timingOf } from "./timing.ts";

type Tab = "headers" | "request" | "response" | "messages" | "timing";
/** A tab, its name, and the size of what is in it. */
type TabLabel = readonly [Tab, string, string?];

/**
 * One exchange in full, on the right. It is read again whenever its row changes; what has not changed is left alone, so that a
 * click or a selection survives an exchange that continues.
 */
export class Detail {
  readonly #leave: () => void;
  readonly element = el("section", { class: "detail", aria: { label: t("Request") } });
  readonly #head = el("div", {});
  readonly #strip = el("div", { class: "tabs", role: "tablist", on: { keydown: (event) => moveInTabs(event) } });
  readonly #panel = el("div", { class: "panel", role: "tabpanel", tabIndex: 0 });
  readonly #tabs = new Map<Tab, HTMLButtonElement>();
  /** The data that each part was made from. */
  readonly #made = new Map<HTMLElement, string>();
  #tab: Tab = "headers";
  #unredacted = false;
  #shown: string | undefined;
  /** Reads again what is shown now. */
  #again: () => void = () => {};
  #asked = 0;
  #messages: MessagesPane | undefined;

  /** `leave` goes back to the list, which a narrow panel does not show beside it. */
  constructor(leave: () => void) {
    this.#leave = leave;
  }

  clear(): void {
    this.#shown = undefined;
    // What has been asked for is not to be shown any more.
    this.#asked++;
    this.element.replaceChildren();
  }

  /** Never rejects: what goes wrong is shown in its place. */
  async show(id: string, context: DetailContext): Promise<void> {
    const key = keyOf({ tunnel: context.tunnel, id });
    if (key !== this.#shown) {
      this.element.scrollTop = 0;
      this.#unredacted = false;
      this.#messages = undefined;
      // The tabs stay as they are: a click on one is not lost.
      for (const part of [this.#head, this.#panel]) this.#made.delete(part);
    }
    this.#shown = key;
    const asked = ++this.#asked;
    try {
      const query = { id, ...(this.#unredacted ? { unredacted: true } : {}) };
      const detail = await context.host.call(context.tunnel, "inspect/get", query);
      // A later question was asked in the meantime.
      if (asked === this.#asked) this.#paint(detail, context);
    } catch (reason) {
      if (asked === this.#asked) this.element.replaceChildren(el("p", { class: "empty" }, messageOf(reason)));
    }
  }

  #paint(detail: ExchangeDetail, context: DetailContext): void {
    const { summary, replay } = detail;
    const again = (): void => void this.show(summary.id, context);
    if (this.#head.parentElement !== this.element) this.element.replaceChildren(this.#head, this.#strip, this.#panel);
    this.#make(this.#head, [summary.id, replay, summary.error, this.#unredacted], () =>
      this.#title(detail, context, again),
    );
    this.#paintTabs(tabsOf(detail), again);
    // The list that had the focus is gone in a narrow panel.
    if (document.activeElement === document.body) this.#head.querySelector<HTMLElement>(".back")?.focus();
    this.#panel.setAttribute("aria-label", this.#tabs.get(this.#tab)?.textContent ?? "");
    this.#make(this.#panel, [summary.id, this.#tab, this.#unredacted, this.#source(detail)], () =>
      this.#content(detail, context),
    );
    if (this.#tab === "messages") void this.#messages?.refresh();
  }

  #make(place: HTMLElement, from: unknown, make: () => HTMLElement): void {
    const text = JSON.stringify(from);
    if (this.#made.get(place) === text) return;
    this.#made.set(place, text);
    // The keyboard's focus stays where it is.
    const focused = buttonsIn(place).findIndex((each) => each === document.activeElement);
    place.replaceChildren(make());
    if (focused >= 0) buttonsIn(place)[focused]?.focus();
  }

  #paintTabs(tabs: readonly TabLabel[], again: () => void): void {
    if (!tabs.some(([tab]) => tab === this.#tab)) this.#tab = "headers";
    this.#again = again;
    this.#make(this.#strip, [tabs.map(([tab]) => tab)], () => {
      this.#tabs.clear();
      for (const [tab] of tabs) {
        const choose = (): void => {
          this.#tab = tab;
          this.#made.delete(this.#panel);
          this.#again();
        };
        this.#tabs.set(tab, button("", choose, { role: "tab" }));
      }
      return el("div", { role: "presentation" }, ...this.#tabs.values());
    });
    for (const [tab, label, size = ""] of tabs) {
      const made = this.#tabs.get(tab);
      const isChosen = tab === this.#tab;
      if (!made) continue;
      if (made.textContent !== label + size) made.replaceChildren(label, el("span", { class: "size" }, size));
      made.setAttribute("aria-selected", String(isChosen));
      made.tabIndex = isChosen ? 0 : -1;
    }
  }

  /** Returns the data of the chosen tab's content. */
  #source({ request, response, timing }: ExchangeDetail): unknown {
    switch (this.#tab) {
      case "headers":
        return [request, response];
      case "request":
        return whenDone(request.body);
      case "response":
        return response && whenDone(response.body);
      case "messages":
        return undefined;
      case "timing":
        return timing;
    }
  }

  #title(detail: ExchangeDetail, context: DetailContext, again: () => void): HTMLElement {
    const { summary, replay } = detail;
    const { host, tunnel, say, show } = context;
    const run = (work: () => Promise<void>) => (): void =>
      void work().catch((reason: unknown) => say(messageOf(reason)));
    const sendAgain = run(async () => {
      const { id } = await host.call(tunnel, "inspect/replay", { id: summary.id });
      say(t("Sent again"));
      // What one has sent it for.
      this.#tab = "response";
      show(id);
    });
    const copyAs = (format: "curl" | "fetch") =>
      run(async () => {
        const { text } = await host.call(tunnel, "inspect/export", {
          format,
          ids: [summary.id],
          ...(this.#unredacted ? { unredacted: true } : {}),
        });
        host.send({ type: "copy", text, what: format });
      });
    const saveHar = run(async () => {
      const { text, fileName } = await host.call(tunnel, "inspect/export", { format: "har", ids: [summary.id] });
      host.send({ type: "save", fileName, text });
    });
    const ref = { tunnel, id: summary.id };
    const edit = (): void => host.send({ type: "edit", ...ref });
    const compare = (): void => host.send({ type: "compare", ...ref, unredacted: this.#unredacted });
    const toggle = (): void => {
      this.#unredacted = !this.#unredacted;
      again();
    };
    const can = { disabled: !replay.possible, title: replay.possible ? "" : replay.why };
    // With a body of one's own also what came in part.
    const canEdit = replay.possible || (detail.request.forwarded && isRequest(summary)) ? {} : can;
    return el(
      "header",
      {},
      iconButton("back", t("Back to the List"), this.#leave, { class: "back" }),
      el("h2", { title: visible(summary.target) }, visible(`${summary.method} ${summary.target}`)),
      el(
        "div",
        { class: "actions", role: "toolbar", aria: { label: t("Actions") } },
        iconButton("replay", t("Replay"), sendAgain, can),
        iconButton("edit", t("Edit and Send"), edit, canEdit),
        host.offers.compare && iconButton("compare", t("Compare with…"), compare),
        iconButton("terminal", t("Copy as curl"), copyAs("curl")),
        iconButton("code", t("Copy as fetch"), copyAs("fetch")),
        iconButton("save", t("Save as HAR"), saveHar),
        iconButton(
          this.#unredacted ? "eye-closed" : "eye",
          this.#unredacted ? t("Hide Secrets") : t("Show Secrets"),
          toggle,
        ),
      ),
      summary.error
        ? el("p", { class: "error", role: "alert" }, visible(translated(summary.error.message)))
        : undefined,
    );
  }

  #content(detail: ExchangeDetail, context: DetailContext): HTMLElement {
    const { summary, request, response } = detail;
    switch (this.#tab) {
      case "headers":
        return headersOf(detail);
      case "request":
        return new BodyPane(context, summary.id, "request", request.body, this.#unredacted).element;
      case "response":
        return response
          ? new BodyPane(context, summary.id, "response", response.body, this.#unredacted).element
          : el("p", { class: "empty" }, t("There is no response yet."));
      case "messages":
        this.#messages = new MessagesPane(context, summary.id, this.#unredacted);
        return this.#messages.element;
      case "timing":
        return timingOf(detail);
    }
  }
}

function tabsOf({ summary, request, response }: ExchangeDetail): readonly TabLabel[] {
  const hasMessages = summary.kind === "websocket" || summary.kind === "sse";
  const bodies: readonly TabLabel[] = [
    ["request", t("Request"), sizeOf(request.body)],
    ["response", t("Response"), sizeOf(response?.body)],
  ];
  return [
    ["headers", t("Headers")],
    // A WebSocket's are its messages.
    ...(summary.kind === "websocket" ? [] : bodies),
    ...(hasMessages ? ([["messages", t("Messages ({0})", summary.messages ?? 0)]] as const) : []),
    ["timing", t("Timing")],
  ];
}

/** Whether it is a request, and no connection that continued with another protocol. */
function isRequest({ kind }: ExchangeDetail["summary"]): boolean {
  return kind === "http" || kind === "sse";
}

/** A body that still comes is not shown again for each of its pieces. */
function whenDone(body: BodyInfo): unknown {
  return body.state === "open" ? body.state : body;
}

function sizeOf(body: BodyInfo | undefined): string {
  return body === undefined || body.bytes === 0 ? "" : ` (${bytes(body.bytes)})`;
}

function buttonsIn(place: HTMLElement): HTMLButtonElement[] {
  return [...place.querySelectorAll("button")];
}

function moveInTabs(event: KeyboardEvent): void {
  const tabs = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>("[role=tab]")];
  const at = tabs.indexOf(document.activeElement as HTMLElement);
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (step === 0 || at < 0) return;
  event.preventDefault();
  tabs[(at + step + tabs.length) % tabs.length]?.click();
}
