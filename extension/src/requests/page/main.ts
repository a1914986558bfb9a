import type { InspectorChanges } from "@porthole/tunnel/rpc";
import { t, useTranslation } from "../../text.ts";
import type { ToPage, TunnelChoice } from "../messages.ts";
import { messageOf } from "./context.ts";
import { Detail } from "./detail.ts";
import { button, el } from "./dom.ts";
import { Host } from "./host.ts";
import { List } from "./list.ts";
import { Rows } from "./rows.ts";

const pageSize = 1_000;
/** While one types, and while requests pour in under a filter. */
const settleMs = 150;
/** How long a message stays: long enough to be read, and not taken for the state of something later. */
const messageMs = 8_000;

/** The Requests view, once its texts are there. */
class Page {
  readonly #host: Host;
  readonly #rows = new Rows();
  readonly #list = new List(this.#rows, (id) => this.#showDetail(id));
  readonly #detail = new Detail(() => this.#leaveDetail());
  readonly #filter = el("input", {
    class: "filter",
    aria: { label: t("Filter") },
    on: { input: () => this.#settle() },
  });
  readonly #choice = el("select", { aria: { label: t("Port") }, on: { change: () => void this.#reload() } });
  readonly #status = el("span", { class: "status", role: "status" });
  readonly #record = button(t("Pause"), () => void this.#toggleRecording(), { aria: { pressed: false } });
  readonly #clear = button(t("Clear"), () => this.#clearAll());
  readonly #saveAll = button(t("Save All as HAR"), () => this.#saveHar());
  #recording = true;
  /** Whose requests are listed: their ids say nothing about another tunnel's. */
  #listed = "";
  #timer = 0;
  #messageTimer = 0;
  #loading = 0;

  constructor(host: Host) {
    this.#host = host;
    this.#filter.type = "search";
    this.#filter.placeholder = t("Filter, as in status:5xx");
    this.#filter.title = t("Words, method:POST status:5xx path:/api is:failed");
    document.body.append(
      el(
        "div",
        { class: "bar", role: "toolbar", aria: { label: t("Requests") } },
        this.#choice,
        this.#filter,
        this.#record,
        this.#clear,
        this.#saveAll,
        this.#status,
      ),
      el("main", {}, this.#list.element, this.#detail.element),
    );
    document.addEventListener("keydown", (event) => this.#onKey(event));
    this.setTunnels([]);
  }

  get #tunnel(): string {
    return this.#choice.value;
  }

  setTunnels(tunnels: readonly TunnelChoice[]): void {
    const before = this.#tunnel;
    this.#choice.replaceChildren(
      ...tunnels.map(({ id, name }) => {
        const option = el("option", {}, name);
        option.value = id;
        return option;
      }),
    );
    if (tunnels.some(({ id }) => id === before)) this.#choice.value = before;
    this.#choice.hidden = tunnels.length < 2;
    for (const each of [this.#record, this.#clear, this.#saveAll]) each.disabled = tunnels.length === 0;
    if (this.#tunnel !== before || tunnels.length === 0) void this.#reload();
  }

  /** The requests of this port, if it is exposed. */
  show(tunnel: string): void {
    if (tunnel === this.#tunnel || ![...this.#choice.options].some(({ value }) => value === tunnel)) return;
    this.#choice.value = tunnel;
    void this.#reload();
  }

  apply(tunnel: string, changes: InspectorChanges): void {
    if (tunnel !== this.#tunnel) return;
    this.#showRecording(changes.status.recording);
    if (this.#filter.value.trim() !== "") return this.#settle();
    this.#rows.apply(changes);
    this.#explain();
    this.#list.paint();
    const { chosen } = this.#list;
    if (chosen !== undefined && changes.exchanges.some(({ id }) => id === chosen)) this.#showDetail(chosen);
    else if (chosen !== undefined && changes.removed.includes(chosen)) this.#detail.clear();
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#reload(), settleMs);
  }

  /** Reads the whole list anew: another port, another filter, another daemon. */
  async #reload(): Promise<void> {
    const loading = ++this.#loading;
    const tunnel = this.#tunnel;
    if (tunnel !== this.#listed) {
      this.#listed = tunnel;
      this.#list.choose(undefined);
      this.#detail.clear();
    }
    this.#say("");
    if (tunnel === "") {
      this.#rows.replace([]);
      this.#explain();
      this.#list.paint();
      return;
    }
    const text = this.#filter.value.trim();
    const filter = text === "" ? {} : { filter: { text } };
    await this.#call(async () => {
      for (let before: number | undefined; ;) {
        const at = before === undefined ? {} : { before };
        const result = await this.#host.call(tunnel, "inspect/list", { ...filter, ...at, limit: pageSize });
        if (loading !== this.#loading) return;
        if (before === undefined) this.#rows.replace(result.exchanges);
        else this.#rows.append(result.exchanges);
        this.#showRecording(result.status.recording);
        this.#list.paint();
        before = result.exchanges.at(-1)?.seq;
        if (!result.more || before === undefined) break;
      }
    });
    if (loading !== this.#loading) return;
    const { chosen } = this.#list;
    if (chosen !== undefined && !this.#rows.find(chosen)) {
      this.#list.choose(undefined);
      this.#detail.clear();
    } else if (chosen !== undefined) this.#showDetail(chosen);
    this.#explain();
  }

  #showDetail(id: string): void {
    void this.#detail.show(id, {
      host: this.#host,
      tunnel: this.#tunnel,
      say: (text) => this.#say(text),
      show: (next) => this.#list.choose(next),
    });
  }

  /** In a narrow panel the detail has taken the list's place. */
  #leaveDetail(): void {
    this.#list.choose(undefined);
    this.#detail.clear();
    this.#list.paint();
    this.#list.focus();
  }

  #clearAll(): void {
    void this.#call(() => this.#host.call(this.#tunnel, "inspect/clear", {}));
  }

  #saveHar(): void {
    void this.#call(async () => {
      const query = { format: "har" as const, ids: [], filter: { text: this.#filter.value } };
      const { text, fileName } = await this.#host.call(this.#tunnel, "inspect/export", query);
      this.#host.send({ type: "save", fileName, text });
    });
  }

  async #toggleRecording(): Promise<void> {
    await this.#call(async () => {
      const { recording } = await this.#host.call(this.#tunnel, "inspect/record", { recording: !this.#recording });
      this.#showRecording(recording);
    });
  }

  #showRecording(recording: boolean): void {
    this.#recording = recording;
    this.#record.textContent = recording ? t("Pause") : t("Record");
    this.#record.setAttribute("aria-pressed", String(!recording));
  }

  #explain(): void {
    const isEmpty = this.#rows.all.length === 0;
    this.#list.explain(
      !isEmpty
        ? ""
        : this.#tunnel === ""
          ? t("Expose a port, and what its visitors ask for appears here.")
          : this.#filter.value.trim() === ""
            ? t("No requests yet. Open the public URL.")
            : t("No request fits the filter."),
    );
  }

  async #call(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (reason) {
      this.#say(messageOf(reason));
    }
  }

  #say(text: string): void {
    clearTimeout(this.#messageTimer);
    this.#status.textContent = text;
    this.#status.title = text;
    if (text !== "") this.#messageTimer = window.setTimeout(() => this.#say(""), messageMs);
  }

  #onKey(event: KeyboardEvent): void {
    const isField = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    if (event.key === "/" && !isField) {
      event.preventDefault();
      this.#filter.focus();
    } else if (event.key === "Escape" && event.target === this.#filter) {
      this.#filter.value = "";
      this.#settle();
      this.#list.focus();
    } else if (event.key === "Enter" && (event.target as HTMLElement).classList.contains("rows")) {
      // Or it would press the button that has the focus then.
      event.preventDefault();
      this.#detail.element.querySelector<HTMLElement>("button:enabled:not(.back)")?.focus();
    }
  }
}

let page: Page | undefined;
const host = new Host((message: Exclude<ToPage, { type: "answer" }>) => {
  switch (message.type) {
    case "init":
      useTranslation((text, ...args) =>
        (message.texts[text] ?? text).replaceAll(/\{(\d+)\}/g, (whole, index: string) =>
          String(args[Number(index)] ?? whole),
        ),
      );
      page ??= new Page(host);
      break;
    case "tunnels":
      page?.setTunnels(message.tunnels);
      break;
    case "show":
      page?.show(message.tunnel);
      break;
    case "changes":
      page?.apply(message.tunnel, message.changes);
      break;
  }
});
host.send({ type: "ready" });
