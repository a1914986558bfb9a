import { envName, flagName, isSwitch, type OptionSpec, type OptionTable } from "./options.ts";
import { placeholderOf } from "./read-options.ts";

export interface HelpContext {
  /** One sentence. */
  readonly summary: string;
  /** A whole command line that works. Comes first, because most people only need that. */
  readonly example: string;
  /** Other commands (`porthole join INVITE`) with their descriptions. */
  readonly commands?: Readonly<Record<string, string>>;
  readonly columns?: number;
  /** The advanced options, too. */
  readonly all?: boolean;
}

const maxFlagColumn = 34;

type Row = readonly [left: string, right: string];

/** The answer to `--help`, which fits a screen, or with `all` to `--help all`. */
export function helpText(table: OptionTable, context: HelpContext): string {
  const columns = context.columns ?? 100;
  const isShort = !context.all;
  const rowsOf = (isAdvanced: boolean): Row[] =>
    Object.entries(table)
      .filter(([, spec]) => (spec.advanced ?? false) === isAdvanced)
      .map(([name, spec]) => [flagWithValue(name, spec), describeOption(spec, defaultOf(spec))]);
  const advanced = rowsOf(true);
  const hasMore = isShort && advanced.length > 0;
  const everyday: Row[] = [
    ...rowsOf(false),
    hasMore ? ["--help [all]", `This text; with all, ${advanced.length} more`] : ["--help", "This text"],
  ];
  const commands = Object.entries(context.commands ?? {});
  const shown = [...everyday, ...(isShort ? [] : advanced), ...commands];
  const width = Math.min(maxFlagColumn, Math.max(...shown.map(([left]) => left.length)));
  const block = (rows: readonly Row[]): string[] => rows.flatMap((row) => layOut(row, width, columns));
  const sample = Object.entries(table).find(([, spec]) => !spec.secret);
  const lines = [`  ${context.example}`, "", ...wrap(context.summary, columns), ""];
  if (commands.length > 0) lines.push("Commands:", ...block(commands), "");
  lines.push(advanced.length > 0 ? "Everyday options:" : "Options:", ...block(everyday));
  if (!isShort && advanced.length > 0) lines.push("", "Other options:", ...block(advanced));
  if (sample) {
    lines.push("", `Every option has an environment variable: ${envName(...sample)} for --${sample[0]}.`);
  }
  return `${lines.join("\n")}\n`;
}

/** The flag as it is typed. */
export function flagWithValue(name: string, spec: OptionSpec): string {
  const placeholder = placeholderOf(spec);
  // What is on already is given to turn it off.
  const isOn = isSwitch(spec) && spec.default === "true";
  return `--${isOn ? "[no-]" : ""}${flagName(name, spec)}${placeholder === "" ? "" : ` ${placeholder}`}`;
}

/** Returns an option's description with its notes: required, repeatable, its default. */
export function describeOption(spec: OptionSpec, defaultText: string): string {
  const notes = [
    spec.required ? "required" : "",
    spec.repeatable ? "repeatable" : "",
    defaultText && `default: ${defaultText}`,
  ];
  const text = notes.filter((note) => note !== "").join(", ");
  return text === "" ? spec.help : `${spec.help} (${text})`;
}

function defaultOf(spec: OptionSpec): string {
  return spec.defaultHelp ?? spec.default ?? "";
}

function layOut([left, right]: Row, width: number, columns: number): string[] {
  const indent = " ".repeat(width + 4);
  const [first = "", ...more] = wrap(right, columns - indent.length);
  const rest = more.map((line) => indent + line);
  if (left.length > width) return [`  ${left}`, indent + first, ...rest];
  return [`  ${left.padEnd(width)}  ${first}`, ...rest];
}

function wrap(value: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of value.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
