import type { ExchangeSummary, InspectorChanges, InspectorStatus, ListResult } from "@porthole/tunnel/rpc";
import { formatBytes } from "@porthole/common/util";
import { printable } from "../printable.ts";
import { fit } from "./columns.ts";
import { headingOf, rowOf, type Paint } from "./row.ts";
import type { Key, Size } from "./screen.ts";

/** Rows that are held; older ones are found by a filter. */
const maxRows = 1_000;

/** What a key asks for that the list can't do itself. */
export type ListAction =
  | { readonly do: "open" | "replay" | "edit" | "curl" | "fetch"; readonly id: string }
  | { readonly do: "har" | "clear" | "pause" | "refresh" | "quit" };

/** The list of requests: which rows, which one is chosen, the filter. It reads keys and makes lines; everything else is done by its owner. */
export class ListView {
  #rows: ExchangeSummary[] = [];
  #status: InspectorStatus | undefined;
  /** Undefined: the newest, whichever that is. */
  #chosen: string | undefined;
  #top = 0;
  #typing = false;
  filter = "";
  note = "";

  /** Whether changes can't tell which rows there are: that is for the client to say. */
  get needsAsking(): boolean {
    return this.filter.trim() !== "";
  }

  get chosen(): string | undefined {
    return this.#chosen ?? this.#rows[0]?.id;
  }

  get isPaused(): boolean {
    return this.#status?.recording === false;
  }

  replace({ exchanges, status }: ListResult): void {
    this.#rows = exchanges.slice(0, maxRows);
    this.#status = status;
  }

  apply({ exchanges, removed, status }: InspectorChanges): void {
    this.#status = status;
    const gone = new Set(removed);
    const changed = new Map(exchanges.map((row) => [row.id, row]));
    const known = this.#rows.filter(({ id }) => !gone.has(id)).map((row) => take(changed, row.id) ?? row);
    if (this.needsAsking) {
      this.#rows = known;
      return;
    }
    const newest = known[0]?.seq ?? 0;
    const added = [...changed.values()].filter(({ seq, id }) => seq > newest && !gone.has(id));
    this.#rows = [...added.toReversed(), ...known].slice(0, maxRows);
  }

  onKey(key: Key, { rows }: Size): ListAction | undefined {
    this.note = "";
    if (this.#typing) return this.#type(key);
    const page = Math.max(1, rows - 4);
    switch (key.name) {
      case "up":
      case "k":
        return this.#move(-1);
      case "down":
      case "j":
        return this.#move(1);
      case "pageup":
        return this.#move(-page);
      case "pagedown":
      case "space":
        return this.#move(page);
      case "home":
        this.#chosen = undefined;
        return undefined;
      case "g":
        return this.#move(key.text === "G" ? maxRows : -maxRows);
      case "end":
        return this.#move(maxRows);
      case "return":
        return this.#withChosen("open");
      case "r":
        return this.#withChosen("replay");
      case "e":
        return this.#withChosen("edit");
      case "c":
        return this.#withChosen("curl");
      case "f":
        return this.#withChosen("fetch");
      case "h":
        return { do: "har" };
      case "x":
        return { do: "clear" };
      case "p":
        return { do: "pause" };
      case "q":
        return { do: "quit" };
      case "escape":
        if (this.filter === "") return undefined;
        this.filter = "";
        return { do: "refresh" };
      default:
        if (key.text === "/") this.#typing = true;
        return undefined;
    }
  }

  lines({ columns, rows }: Size, paint: Paint): string[] {
    const height = Math.max(1, rows - 4);
    const index = Math.max(
      0,
      this.#rows.findIndex(({ id }) => id === this.chosen),
    );
    if (index < this.#top) this.#top = index;
    if (index >= this.#top + height) this.#top = index - height + 1;
    this.#top = Math.max(0, Math.min(this.#top, this.#rows.length - height));
    const shown = this.#rows.slice(this.#top, this.#top + height);
    return [
      this.#titleLine(columns, paint),
      paint("dim", fit(headingOf(columns), columns)),
      ...shown.map((row) =>
        row.id === this.chosen ? paint("inverse", fit(rowOf(row, columns), columns)) : rowOf(row, columns, paint),
      ),
      ...(shown.length === 0 ? [paint("dim", this.#emptyText())] : []),
      ...Array.from({ length: Math.max(0, height - Math.max(1, shown.length)) }, () => ""),
      this.#typing || this.filter !== "" ? fit(`/ ${printable(this.filter)}${this.#typing ? "▏" : ""}`, columns) : "",
      this.note === "" ? paint("dim", fit(this.#help(), columns)) : fit(printable(this.note), columns),
    ];
  }

  #titleLine(columns: number, paint: Paint): string {
    const status = this.#status;
    const count = status === undefined ? "" : `${status.exchanges} requests, ${formatBytes(status.bytes)}`;
    const paused = this.isPaused ? "  paused" : "";
    return paint("bold", fit(`Porthole  ${count}${paused}`, columns));
  }

  #emptyText(): string {
    return this.filter === "" ? "No requests yet. They appear here as they come." : "None of them fits the filter.";
  }

  #help(): string {
    if (this.#typing) return "⏎ done  esc no filter   e.g. method:POST status:5xx path:/api -type:image words";
    return "↑↓ choose  ⏎ open  r replay  e edit  c curl  f fetch  h HAR  / filter  p pause  x clear  q quit";
  }

  #move(by: number): undefined {
    const index = this.#rows.findIndex(({ id }) => id === this.chosen);
    const next = Math.max(0, Math.min(this.#rows.length - 1, index + by));
    // At the top it follows what comes.
    this.#chosen = next === 0 ? undefined : this.#rows[next]?.id;
    return undefined;
  }

  #withChosen(what: "open" | "replay" | "edit" | "curl" | "fetch"): ListAction | undefined {
    const id = this.chosen;
    return id === undefined ? undefined : { do: what, id };
  }

  #type(key: Key): ListAction | undefined {
    if (key.name === "return") this.#typing = false;
    else if (key.name === "escape") {
      this.#typing = false;
      this.filter = "";
    } else if (key.name === "backspace") this.filter = this.filter.slice(0, -1);
    else if (!key.ctrl && /^[^\p{Cc}]+$/u.test(key.text)) this.filter += key.text;
    else return undefined;
    return { do: "refresh" };
  }
}

function take<K, V>(map: Map<K, V>, key: K): V | undefined {
  const value = map.get(key);
  map.delete(key);
  return value;
}
