import { t } from "../text.ts";
import { el, visible } from "./dom.ts";
import { bytes, clockTime, duration } from "./format.ts";
import { keyOf, type Row, type Rows } from "./rows.ts";

/** The height of a row, as in the style sheet. */
const rowPx = 22;
const beyond = 8;

/** Thousands of rows. Only the visible ones are made. One stop for the keyboard; the arrows choose within. */
export class List {
  readonly element: HTMLElement;
  readonly #rows: Rows;
  readonly #onChoose: (key: string) => void;
  readonly #space = el("div", { class: "space" });
  readonly #scroller: HTMLElement;
  readonly #empty = el("p", { class: "empty" });
  /** The names of ports, where the list has the requests of several. */
  #names: ReadonlyMap<string, string> = new Map();
  #chosen: string | undefined;
  #isPainting = false;

  constructor(rows: Rows, onChoose: (key: string) => void) {
    this.#rows = rows;
    this.#onChoose = onChoose;
    this.#scroller = el(
      "div",
      {
        class: "rows",
        role: "listbox",
        tabIndex: 0,
        aria: { label: t("Requests") },
        on: {
          scroll: () => this.paint(),
          keydown: (event) => this.#onKey(event),
          // Not `click`: a list that lives may have replaced its rows between the two halves of one.
          pointerdown: (event) => this.#onPointer(event),
        },
      },
      this.#space,
    );
    const heads = [t("Time"), t("Method"), t("Path"), t("Status"), t("Duration"), t("Size"), t("Visitor")];
    this.element = el(
      "div",
      { class: "list" },
      el("div", { class: "row head", aria: { hidden: true } }, ...heads.map((head) => el("span", {}, head))),
      this.#scroller,
      this.#empty,
    );
    new ResizeObserver(() => this.paint()).observe(this.#scroller);
  }

  get chosen(): string | undefined {
    return this.#chosen;
  }

  focus(): void {
    this.#scroller.focus();
  }

  choose(key: string | undefined): void {
    this.#chosen = key;
    if (key !== undefined) {
      this.#reveal(this.#rows.indexOf(key));
      this.#onChoose(key);
    }
    this.paint();
  }

  /** Begins each path with the name of its port. */
  nameTunnels(names: ReadonlyMap<string, string>): void {
    this.#names = names;
    this.paint();
  }

  /** Once a frame at the most, however many changes come. */
  paint(): void {
    if (this.#isPainting) return;
    this.#isPainting = true;
    requestAnimationFrame(() => {
      this.#isPainting = false;
      this.#paintNow();
    });
  }

  /** Sets the text for an empty list. */
  explain(text: string): void {
    this.#empty.textContent = text;
    this.#empty.hidden = text === "";
  }

  #paintNow(): void {
    const { all } = this.#rows;
    this.#space.style.height = `${all.length * rowPx}px`;
    const { scrollTop, clientHeight } = this.#scroller;
    const first = Math.max(0, Math.floor(scrollTop / rowPx) - beyond);
    const last = Math.min(all.length, Math.ceil((scrollTop + clientHeight) / rowPx) + beyond);
    const shown = all.slice(first, last).map((row, index) => this.#rowOf(row, first + index));
    this.#space.replaceChildren(...shown);
    const at = this.#chosen === undefined ? -1 : this.#rows.indexOf(this.#chosen);
    // Only while the row is there: it is made when it is in view.
    if (at >= first && at < last) this.#scroller.setAttribute("aria-activedescendant", `row-${at}`);
    else this.#scroller.removeAttribute("aria-activedescendant");
  }

  #rowOf(row: Row, index: number): HTMLElement {
    const key = keyOf(row);
    const isChosen = key === this.#chosen;
    const name = this.#names.get(row.tunnel);
    const path = name === undefined ? row.target : `${name} ${row.target}`;
    const status = statusOf(row);
    const size = bytes(row.requestBytes + row.responseBytes);
    const cells = [
      clockTime(row.startedAt),
      row.method,
      path,
      status,
      duration(row.durationMs),
      size,
      row.visitor.address,
    ];
    const element = el(
      "div",
      {
        class: `row ${classOf(row)}${isChosen ? " chosen" : ""}`,
        role: "option",
        // A narrow list leaves cells out, and cuts others off.
        title: visible(`${cells[0]} · ${row.method} ${path} · ${row.visitor.address}`),
        id: `row-${index}`,
        aria: {
          selected: isChosen,
          posinset: index + 1,
          setsize: this.#rows.all.length,
        },
      },
      ...cells.map((cell) => el("span", {}, visible(cell))),
    );
    element.style.top = `${index * rowPx}px`;
    element.dataset["id"] = key;
    return element;
  }

  #onPointer(event: PointerEvent): void {
    const row = (event.target as HTMLElement).closest<HTMLElement>("[data-id]");
    if (row?.dataset["id"] !== undefined) this.choose(row.dataset["id"]);
  }

  #onKey(event: KeyboardEvent): void {
    const { all } = this.#rows;
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / rowPx) - 1);
    const at = this.#chosen === undefined ? -1 : this.#rows.indexOf(this.#chosen);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: at + 1,
      ArrowUp: at < 0 ? 0 : at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: all.length - 1,
    };
    const step = steps[event.key];
    if (step === undefined || all.length === 0) return;
    event.preventDefault();
    const next = all[Math.min(all.length - 1, Math.max(0, step))];
    if (next) this.choose(keyOf(next));
  }

  #reveal(index: number): void {
    if (index < 0) return;
    const { scrollTop, clientHeight } = this.#scroller;
    const top = index * rowPx;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + rowPx > scrollTop + clientHeight) this.#scroller.scrollTop = top + rowPx - clientHeight;
  }
}

export function statusOf({ status, state, kind, messages, replayOf }: Row): string {
  const replay = replayOf === undefined ? "" : " ↻";
  const live = messages === undefined ? "" : ` · ${messages}`;
  if (status !== undefined) return `${kind === "websocket" ? "WS" : status}${live}${replay}`;
  return `${state === "failed" ? t("failed") : "…"}${replay}`;
}

function classOf({ status = 0, state }: Row): string {
  if (state === "failed" || status >= 500) return "bad";
  if (status >= 400) return "warn";
  return state === "open" ? "open" : "good";
}
