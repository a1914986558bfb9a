import { t } from "../text.ts";
import { parseAddress } from "./address.ts";
import { localOf, type PortTarget } from "./port-target.ts";

/** A listening port as the list of ports to expose knows it. */
export interface KnownPort {
  readonly target: PortTarget;
  readonly pid: number | undefined;
  /** Its process runs in a folder of the workspace. */
  readonly isWorkspace: boolean;
  readonly isExposed: boolean;
}

/** One row: a port, or a sentence that can't be chosen. */
export type PortChoice =
  | { readonly target: PortTarget; readonly known?: KnownPort }
  | { readonly target?: undefined; readonly problem: string };

/**
 * Returns the rows for what is typed; the first one is preselected. It is a process of the workspace, exactly what is typed, or a
 * sentence: Enter never exposes a port that nobody asked for.
 */
export function portChoices(typed: string, ports: readonly KnownPort[]): readonly PortChoice[] {
  const rows = (known: readonly KnownPort[]): PortChoice[] =>
    known.map((each) => ({ target: each.target, known: each }));
  const own = ports.filter(({ isWorkspace }) => isWorkspace);
  const others = ports.filter(({ isWorkspace }) => !isWorkspace);
  const text = typed.trim();
  if (text === "") {
    const hint = { problem: t("Type a port, or choose one from the list") };
    return own.length > 0 ? rows([...own, ...others]) : [hint, ...rows(others)];
  }
  const parsed = parseAddress(text);
  if (parsed.target) {
    const { target } = parsed;
    const known = ports.find((each) => localOf(each.target) === localOf(target));
    return [known ? { target: known.target, known } : { target }];
  }
  const isNamed = ({ target }: KnownPort): boolean => (target.label ?? "").toLowerCase().includes(text.toLowerCase());
  const named = /^[\d.:[\]]/.test(text) || text.includes("://") ? [] : [own.filter(isNamed), others.filter(isNamed)];
  const found = named.find((each) => each.length > 0);
  return found ? rows(found) : [{ problem: parsed.problem }];
}

/** Returns the port that is typed and nothing else: what Enter means while the list is being drawn again. */
export function typedTarget(typed: string, ports: readonly KnownPort[]): PortTarget | undefined {
  const [first, ...others] = portChoices(typed, ports);
  return typed.trim() !== "" && others.length === 0 ? first?.target : undefined;
}

/** True for a process whose folder is one of these folders or inside of one. */
export function isInside(cwd: string | undefined, folders: readonly string[]): boolean {
  if (cwd === undefined) return false;
  return folders.some(
    (folder) => cwd === folder || cwd.startsWith(folder.replace(/[/\\]?$/, cwd.includes("\\") ? "\\" : "/")),
  );
}
