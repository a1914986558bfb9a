import { fit, wrap } from "./columns.ts";
import type { Paint } from "./row.ts";
import type { Key, Size } from "./screen.ts";

export type PageAction = "back" | "quit" | "replay" | "edit" | "curl" | "fetch" | "unredact";

const actions: Readonly<Record<string, PageAction>> = {
  escape: "back",
  left: "back",
  backspace: "back",
  q: "back",
  r: "replay",
  e: "edit",
  c: "curl",
  f: "fetch",
  u: "unredact",
};

/** Lines to scroll through: one request, or an export of it. */
export class PageView {
  readonly id: string;
  /** Whether it is the request itself, which may still change, or an export of it. */
  readonly isLive: boolean;
  unredacted = false;
  note = "";
  #lines: readonly string[];
  #top = 0;

  constructor(id: string, lines: readonly string[], options: { readonly isLive: boolean }) {
    this.id = id;
    this.#lines = lines;
    this.isLive = options.isLive;
  }

  replace(lines: readonly string[]): void {
    this.#lines = lines;
  }

  onKey(key: Key, { rows }: Size): PageAction | undefined {
    this.note = "";
    const page = Math.max(1, rows - 2);
    const steps: Readonly<Record<string, number>> = {
      up: -1,
      k: -1,
      down: 1,
      j: 1,
      pageup: -page,
      b: -page,
      pagedown: page,
      space: page,
      home: -Infinity,
      end: Infinity,
      g: key.text === "G" ? Infinity : -Infinity,
    };
    const step = key.name === undefined ? undefined : steps[key.name];
    if (step !== undefined) {
      this.#top = Math.max(0, this.#top + step);
      return undefined;
    }
    return key.name === undefined ? undefined : actions[key.name];
  }

  lines({ columns, rows }: Size, paint: Paint): string[] {
    const height = Math.max(1, rows - 1);
    const wrapped = this.#lines.flatMap((line) => wrap(line, columns));
    this.#top = Math.min(this.#top, Math.max(0, wrapped.length - height));
    const shown = wrapped.slice(this.#top, this.#top + height);
    const help = this.isLive
      ? `↑↓ scroll  esc back  r replay  e edit  c curl  f fetch  u ${this.unredacted ? "hide" : "show"} secrets`
      : "↑↓ scroll  esc back";
    return [
      ...shown,
      ...Array.from({ length: height - shown.length }, () => ""),
      this.note === "" ? paint("dim", fit(help, columns)) : fit(this.note, columns),
    ];
  }
}
