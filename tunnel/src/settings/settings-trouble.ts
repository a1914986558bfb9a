import * as v from "valibot";
import { settingsFile, type SettingsFile } from "./tunnel-settings.ts";

/** A fault of a file's settings, in words, with its place. */
export interface SettingsTrouble {
  /** The keys that lead there: `tunnels`, `web`, `mode`. */
  readonly path: readonly string[];
  /** Completes "tunnels.web.mode ". */
  readonly problem: string;
  /** The keys that may stand there, when it has one that may not. */
  readonly known?: readonly string[];
}

/** Checks the data of a file. Returns the settings, or the first trouble. */
export function settingsTrouble(
  data: unknown,
):
  | { readonly settings: SettingsFile; readonly trouble?: never }
  | { readonly settings?: never; readonly trouble: SettingsTrouble } {
  const unseen = unseenTrouble(data);
  if (unseen) return { trouble: unseen };
  const result = v.safeParse(settingsFile, data, { abortEarly: true });
  if (result.success) return { settings: result.output };
  return { trouble: troubleOf(result.issues[0], knownAt) };
}

/** Returns what the schema lets pass in silence: names that it drops, and lists, which pass for tables. */
function unseenTrouble(data: unknown): SettingsTrouble | undefined {
  const { tunnels } = Object(data) as { readonly tunnels?: unknown };
  const tables = typeof tunnels === "object" && tunnels !== null ? Object.entries(tunnels) : [];
  return (
    listTrouble([], data) ??
    listTrouble(["tunnels"], tunnels) ??
    tables.map(([name, table]) => droppedTrouble(name) ?? listTrouble(["tunnels", name], table)).find(Boolean)
  );
}

/** Returns the trouble with a list in place of a table. */
export function listTrouble(path: readonly string[], data: unknown): SettingsTrouble | undefined {
  return Array.isArray(data) ? { path, problem: "should be a table, and is a list" } : undefined;
}

/** Valibot drops these keys of a record, against prototype pollution. */
function droppedTrouble(name: string): SettingsTrouble | undefined {
  return ["__proto__", "prototype", "constructor"].includes(name)
    ? { path: ["tunnels", name], problem: "can't be the name of a tunnel" }
    : undefined;
}

/** Puts an issue into words. `known` returns the keys that may stand at a path. */
export function troubleOf(
  issue: v.BaseIssue<unknown>,
  known: (path: readonly string[]) => readonly string[],
): SettingsTrouble {
  const path = (issue.path ?? []).map(({ key }) => String(key));
  if (issue.type === "strict_object" && issue.expected === "never")
    return { path, problem: "is not a setting", known: known(path) };
  return { path, problem: `should be ${expected(issue)}, and is ${kindOf(issue.input)}` };
}

function knownAt(path: readonly string[]): readonly string[] {
  const tunnel = settingsFile.entries.tunnels.wrapped.value.entries;
  return Object.keys(path.length > 1 ? tunnel : settingsFile.entries);
}

function expected({ type, message, expected: what, requirement }: v.BaseIssue<unknown>): string {
  if (type === "union" || type === "regex") return message;
  if (type === "integer") return "a whole number";
  if (type === "non_empty") return "something";
  if (type === "max_length") return `no longer than ${JSON.stringify(requirement)}`;
  if (type.startsWith("min_")) return `at least ${JSON.stringify(requirement)}`;
  if (type.startsWith("max_")) return `at most ${JSON.stringify(requirement)}`;
  if (what === "boolean") return "true or false";
  if (what === "Object") return "a table";
  return what?.includes('"')
    ? what.replaceAll(" | ", " or ").replaceAll(/[()]/g, "")
    : what === "string"
      ? "a text"
      : `a ${what ?? "value"}`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value === "") return "empty";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 60));
  if (value instanceof Date) return "a date or time";
  if (typeof value === "object" && value !== null) return "a table";
  // JSON would call infinity null.
  return String(value);
}
