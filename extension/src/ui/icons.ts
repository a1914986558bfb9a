import { ThemeColor, ThemeIcon } from "vscode";
import type { Described } from "../controller/index.ts";

const names: Readonly<Record<Described["kind"], string>> = {
  busy: "sync~spin",
  good: "globe",
  degraded: "warning",
  bad: "error",
  off: "circle-slash",
};

const colours: Partial<Readonly<Record<Described["kind"], string>>> = {
  good: "charts.green",
  degraded: "list.warningForeground",
  bad: "list.errorForeground",
};

/** Shape first: colour only says it again. */
export function stateIcon(kind: Described["kind"]): ThemeIcon {
  const colour = colours[kind];
  return new ThemeIcon(names[kind], colour === undefined ? undefined : new ThemeColor(colour));
}

/** For the status bar, whose text carries its icon. */
export function stateCodicon(kind: Described["kind"]): string {
  return `$(${kind === "bad" ? "warning" : names[kind]})`;
}
