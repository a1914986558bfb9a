import { t } from "../text.ts";
import type { TunnelChoice } from "../messages.ts";
import { el, iconButton, setIcon, setLabel } from "./dom.ts";

/** How long a message stays: long enough to be read, and not taken for the state of something later. */
const messageMs = 8_000;
/** The value for all ports in the choice of ports. */
const allPorts = "all";

export interface ToolbarActions {
  /** Another port was chosen. */
  readonly onPort: () => void;
  readonly onFilter: () => void;
  readonly onAssets: () => void;
  readonly onRecord: () => void;
  readonly onClear: () => void;
  readonly onSave: () => void;
}

/** Which requests are listed, and what is done with all of them. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly #filter: HTMLInputElement;
  readonly #choice: HTMLSelectElement;
  readonly #status = el("span", { class: "status", role: "status" });
  readonly #assets: HTMLButtonElement;
  readonly #record: HTMLButtonElement;
  readonly #forPorts: readonly HTMLButtonElement[];
  #tunnels: readonly TunnelChoice[] = [];
  #timer = 0;

  constructor({ onPort, onFilter, onAssets, onRecord, onClear, onSave }: ToolbarActions) {
    this.#choice = el("select", { class: "ports", aria: { label: t("Port") }, on: { change: onPort } });
    this.#filter = el("input", { class: "filter", aria: { label: t("Filter") }, on: { input: onFilter } });
    this.#filter.type = "search";
    this.#filter.placeholder = t("Filter, as in status:5xx");
    this.#filter.title = t("Words, method:POST status:5xx path:/api is:failed");
    this.#assets = iconButton("assets", t("Hide Assets"), onAssets);
    this.#record = iconButton("pause", t("Pause"), onRecord);
    const clear = iconButton("clear", t("Clear"), onClear);
    const save = iconButton("save-all", t("Save All as HAR"), onSave);
    this.#forPorts = [this.#record, clear, save];
    this.element = el(
      "div",
      { class: "bar", role: "toolbar", aria: { label: t("Requests") } },
      ...[this.#choice, this.#filter, this.#assets, this.#record, clear, save, this.#status],
    );
  }

  get filter(): string {
    return this.#filter.value.trim();
  }

  /** The ports whose requests are to be listed. */
  get chosen(): readonly string[] {
    const { value } = this.#choice;
    return value === allPorts ? this.#tunnels.map(({ id }) => id) : value === "" ? [] : [value];
  }

  /** Short names of the ports, where one list has the requests of several. */
  get shortNames(): ReadonlyMap<string, string> {
    return new Map(this.#choice.value === allPorts ? this.#tunnels.map(({ id, short }) => [id, short]) : []);
  }

  hasPort(tunnel: string): boolean {
    return this.#tunnels.some(({ id }) => id === tunnel);
  }

  choosePort(tunnel: string): void {
    this.#choice.value = tunnel;
  }

  /** Offers these ports. The choice stays where it can. */
  setPorts(tunnels: readonly TunnelChoice[]): void {
    const before = this.#choice.value;
    this.#tunnels = tunnels;
    const choices = tunnels.length > 1 ? [{ id: allPorts, name: t("All Ports") }, ...tunnels] : tunnels;
    this.#choice.replaceChildren(
      ...choices.map(({ id, name }) => {
        const option = el("option", {}, name);
        option.value = id;
        return option;
      }),
    );
    if (choices.some(({ id }) => id === before)) this.#choice.value = before;
    this.#choice.hidden = tunnels.length < 2;
    for (const each of this.#forPorts) each.disabled = tunnels.length === 0;
  }

  showAssets(areHidden: boolean): void {
    this.#assets.setAttribute("aria-pressed", String(areHidden));
  }

  showRecording(recording: boolean): void {
    setIcon(this.#record, recording ? "pause" : "record");
    setLabel(this.#record, recording ? t("Pause") : t("Record"));
  }

  /** For ears as for eyes. */
  say(text: string): void {
    clearTimeout(this.#timer);
    this.#status.textContent = text;
    this.#status.title = text;
    if (text !== "") this.#timer = window.setTimeout(() => this.say(""), messageMs);
  }

  focusFilter(): void {
    this.#filter.focus();
  }

  /** Takes what was typed away, if it is in the filter that a key was pressed. */
  leaveFilter(target: EventTarget | null): boolean {
    if (target !== this.#filter) return false;
    this.#filter.value = "";
    return true;
  }
}
