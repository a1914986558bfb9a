import type { InspectorChanges } from "../../rpc/index.ts";
import { t, useTranslation } from "../text.ts";
import type { PageResult, TunnelChoice } from "../messages.ts";
import { messageOf } from "./context.ts";
import { Detail } from "./detail.ts";
import { el } from "./dom.ts";
import { Host, type Wire } from "./host.ts";
import { List } from "./list.ts";
import { isAsset, keyOf, Rows } from "./rows.ts";
import { Toolbar } from "./toolbar.ts";

const pageSize = 1_000;
/** While one types, and while requests pour in under a filter. */
const settleMs = 150;
/** The Requests view, once its texts are there. */
class Page {
  readonly #host: Host;
  readonly #rows = new Rows();
  readonly #list = new List(this.#rows, (key) => this.#showDetail(key));
  readonly #detail = new Detail(() => this.#leaveDetail());
  readonly #toolbar = new Toolbar({
    onPort: () => void this.#reload(),
    onFilter: () => this.#settle(),
    onAssets: () => this.#hideAssets(!this.#hidesAssets),
    onRecord: () => void this.#toggleRecording(),
    onClear: () => this.#clearAll(),
    onSave: () => this.#saveHar(),
  });
  #recording = true;
  #hidesAssets = false;
  /** Whose requests are listed: their ids say nothing about another tunnel's. */
  #listed = "";
  /** A request to choose once its row is there. */
  #wanted: string | undefined;
  #timer = 0;
  #loading = 0;

  constructor(host: Host) {
    this.#host = host;
    this.#rows.isShown = (row) => !this.#hidesAssets || !isAsset(row);
    document.body.append(
      el(
        "main",
        {},
        // The editor shows it above the page.
        el("h1", { class: "unseen" }, t("Requests")),
        this.#toolbar.element,
        el("div", { class: "split" }, this.#list.element, this.#detail.element),
      ),
    );
    document.addEventListener("keydown", (event) => this.#onKey(event));
    this.#hideAssets(host.state.hidesAssets);
    this.setTunnels([]);
  }

  setTunnels(tunnels: readonly TunnelChoice[]): void {
    this.#toolbar.setPorts(tunnels);
    if (this.#listed !== this.#toolbar.chosen.join(" ") || tunnels.length === 0) void this.#reload();
  }

  /** The requests of this port, if it is exposed, and one of them in full. */
  show(tunnel: string, id: string | undefined): void {
    if (!this.#toolbar.hasPort(tunnel)) return;
    this.#wanted = id === undefined ? undefined : keyOf({ tunnel, id });
    // With a request in mind the list stays as it is, where it has that port.
    const { chosen } = this.#toolbar;
    const isListed = chosen.includes(tunnel) && (id !== undefined || chosen.length === 1);
    if (isListed) return this.#chooseWanted();
    this.#toolbar.choosePort(tunnel);
    void this.#reload();
  }

  say(text: string): void {
    this.#toolbar.say(text);
  }

  apply(tunnel: string, changes: InspectorChanges): void {
    if (!this.#toolbar.chosen.includes(tunnel)) return;
    this.#showRecording(changes.status.recording);
    if (this.#toolbar.filter !== "") return this.#settle();
    this.#rows.apply(tunnel, changes);
    this.#explain();
    this.#list.paint();
    this.#chooseWanted();
    const chosen = this.#list.chosen;
    if (chosen === undefined) return;
    const isOne = (id: string): boolean => keyOf({ tunnel, id }) === chosen;
    if (changes.exchanges.some(({ id }) => isOne(id))) this.#showDetail(chosen);
    else if (changes.removed.some(isOne)) this.#detail.clear();
  }

  #chooseWanted(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || !this.#rows.find(wanted)) return;
    this.#wanted = undefined;
    this.#list.choose(wanted);
  }

  #settle(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#reload(), settleMs);
  }

  /** Reads the whole list again: another port, another filter, another daemon. */
  async #reload(): Promise<void> {
    const loading = ++this.#loading;
    const tunnels = this.#toolbar.chosen;
    if (tunnels.join(" ") !== this.#listed) {
      this.#listed = tunnels.join(" ");
      this.#rows.clear();
      this.#list.choose(undefined);
      this.#detail.clear();
    }
    this.#list.nameTunnels(this.#toolbar.shortNames);
    this.#toolbar.say("");
    if (tunnels.length === 0) this.#rows.clear();
    let isFirst = true;
    for (const tunnel of tunnels) {
      await this.#call(() =>
        this.#readList(tunnel, (result) => {
          if (loading !== this.#loading) return false;
          if (isFirst) this.#rows.clear();
          isFirst = false;
          this.#rows.add(tunnel, result.exchanges);
          this.#showRecording(result.status.recording);
          this.#list.paint();
          return true;
        }),
      );
      if (loading !== this.#loading) return;
    }
    this.#list.paint();
    this.#chooseWanted();
    const { chosen } = this.#list;
    if (chosen !== undefined && !this.#rows.find(chosen)) {
      this.#list.choose(undefined);
      this.#detail.clear();
    } else if (chosen !== undefined) this.#showDetail(chosen);
    this.#explain();
  }

  /** Page by page, while `use` wants more. */
  async #readList(tunnel: string, use: (result: PageResult<"inspect/list">) => boolean): Promise<void> {
    const text = this.#toolbar.filter;
    const filter = text === "" ? {} : { filter: { text } };
    for (let before: number | undefined; ;) {
      const at = before === undefined ? {} : { before };
      const result = await this.#host.call(tunnel, "inspect/list", { ...filter, ...at, limit: pageSize });
      before = result.exchanges.at(-1)?.seq;
      if (!use(result) || !result.more || before === undefined) return;
    }
  }

  #showDetail(key: string): void {
    const row = this.#rows.find(key);
    if (!row) return;
    const { tunnel } = row;
    void this.#detail.show(row.id, {
      host: this.#host,
      tunnel,
      say: (text) => this.#toolbar.say(text),
      show: (id) => this.show(tunnel, id),
    });
  }

  /** In a narrow panel the detail has taken the list's place. */
  #leaveDetail(): void {
    this.#list.choose(undefined);
    this.#detail.clear();
    this.#list.paint();
    this.#list.focus();
  }

  #hideAssets(hides: boolean): void {
    const hasChanged = hides !== this.#hidesAssets;
    this.#hidesAssets = hides;
    this.#host.remember({ hidesAssets: hides });
    this.#toolbar.showAssets(hides);
    if (hasChanged) void this.#reload();
  }

  #clearAll(): void {
    void this.#call(() => this.#each((tunnel) => this.#host.call(tunnel, "inspect/clear", {})));
  }

  #saveHar(): void {
    void this.#call(() =>
      this.#each(async (tunnel) => {
        const query = { format: "har" as const, ids: [], filter: { text: this.#toolbar.filter } };
        const { text, fileName } = await this.#host.call(tunnel, "inspect/export", query);
        this.#host.send({ type: "save", fileName, text });
      }),
    );
  }

  async #toggleRecording(): Promise<void> {
    const recording = !this.#recording;
    await this.#call(() => this.#each((tunnel) => this.#host.call(tunnel, "inspect/record", { recording })));
    this.#showRecording(recording);
  }

  async #each(work: (tunnel: string) => Promise<unknown>): Promise<void> {
    for (const tunnel of this.#toolbar.chosen) await work(tunnel);
  }

  #showRecording(recording: boolean): void {
    if (recording === this.#recording) return;
    this.#recording = recording;
    this.#toolbar.showRecording(recording);
  }

  #explain(): void {
    const isEmpty = this.#rows.all.length === 0;
    this.#list.explain(
      !isEmpty
        ? ""
        : this.#toolbar.chosen.length === 0
          ? t("Expose a port, and what its visitors ask for appears here.")
          : this.#toolbar.filter === ""
            ? t("No requests yet. Open the public URL.")
            : t("No request fits the filter."),
    );
  }

  async #call(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (reason) {
      this.#toolbar.say(messageOf(reason));
    }
  }

  #onKey(event: KeyboardEvent): void {
    const isField = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    if (event.key === "/" && !isField) {
      event.preventDefault();
      this.#toolbar.focusFilter();
    } else if (event.key === "Escape" && this.#toolbar.leaveFilter(event.target)) {
      this.#settle();
      this.#list.focus();
    } else if (event.key === "Enter" && (event.target as HTMLElement).classList.contains("rows")) {
      // Or it would press the button that has the focus then.
      event.preventDefault();
      this.#detail.element.querySelector<HTMLElement>("button:enabled:not(.back)")?.focus();
    }
  }
}

/** Shows what the host has recorded. The host says by which texts. */
export function startPage(wire: Wire): void {
  let page: Page | undefined;
  const host = new Host(wire, (message) => {
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
        page?.show(message.tunnel, message.id);
        break;
      case "changes":
        page?.apply(message.tunnel, message.changes);
        break;
      case "say":
        page?.say(message.text);
        break;
    }
  });
  host.send({ type: "ready" });
}
