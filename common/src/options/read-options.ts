import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { PortholeError } from "../errors.ts";
import { Secret } from "../util/secret.ts";
import { stateError } from "../util/state-file.ts";
import { readConfigFile, resolvePath, type ConfigFile } from "./config-file.ts";
import { nearestOf } from "./nearest.ts";
import { envName, flagName, isSwitch, type OptionSpec, type OptionTable, type OptionValues } from "./options.ts";

export type OptionSource = "flag" | "env" | "file" | "default";

export interface ReadOptions<T extends OptionTable> {
  readonly values: OptionValues<T>;
  readonly positionals: readonly string[];
  /** The source of each value. An option without a value is missing. */
  readonly sources: ReadonlyMap<keyof T & string, OptionSource>;
}

export interface ReadContext {
  /** How many arguments without dashes there may be: none when absent. */
  readonly maxPositionals?: number;
  readonly configFile?: ConfigFileContext;
  /** A configuration file that was read and checked already, instead of `configFile`. */
  readonly settings?: ConfigFile;
  readonly readFile?: (path: string) => string;
}

/** A configuration file (config-file.ts) that several commands share, each with a table of its own. */
export interface ConfigFileContext {
  /** Every setting that the file may have; the file's own option and the state folder's, if `find` asks for them, among them. */
  readonly settings: OptionTable;
  /** Returns the path of the file, or undefined when there is none. `given` has the text that a flag or a variable gives for an option. */
  find(given: (name: string) => string | undefined): string | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;

/** Texts of one option before they are parsed, and where they came from, for errors. */
interface Given {
  readonly source: OptionSource;
  readonly label: string;
  readonly texts: readonly string[];
}

/** Whether `--help` (or another flag without a value, or its short form) is asked for, before anything is checked. */
export function asksFor(argv: readonly string[], flag: "help" | "version"): boolean {
  const end = argv.indexOf("--");
  const args = end < 0 ? argv : argv.slice(0, end);
  return args.includes(`--${flag}`) || (flag === "help" && args.includes("-h"));
}

/** Whether it is `--help all`, where `asksFor` says that help is asked for. */
export function asksForAllHelp(argv: readonly string[]): boolean {
  return argv.some((arg, index) => arg === "all" && ["--help", "-h"].includes(argv[index - 1] ?? ""));
}

/**
 * Typed values from flags, over environment variables, over the configuration file, over defaults. Throws `usage` errors that
 * name the flag, variable or key and the bad value.
 */
export function readOptions<T extends OptionTable>(
  table: T,
  argv: readonly string[],
  env: Env,
  context: ReadContext = {},
): ReadOptions<T> {
  const { maxPositionals = 0 } = context;
  const readFile = context.readFile ?? ((path: string) => readFileSync(path, "utf8"));
  const { flags, positionals } = readFlags(table, argv);
  const extra = positionals[maxPositionals];
  if (extra !== undefined)
    throw new PortholeError("usage", `Unexpected argument ${JSON.stringify(extra)}`, {
      hint: "Flags begin with two dashes, a command stands before them; --help all lists both.",
    });
  const fromCaller = (name: string, spec: OptionSpec): Given | undefined => flags.get(name) ?? fromEnv(name, spec, env);
  const file = context.settings ?? findFile(context.configFile, fromCaller, readFile);
  const values: Record<string, unknown> = {};
  const sources = new Map<keyof T & string, OptionSource>();
  for (const [name, spec] of Object.entries(table)) {
    const given = fromCaller(name, spec) ?? fromFile(name, spec, file) ?? fromDefault(name, spec);
    if (given) sources.set(name, given.source);
    else if (spec.required)
      throw new PortholeError("usage", `--${flagName(name, spec)} is required: ${spec.help}`, {
        hint: `Give the flag, or set ${envName(name, spec)}.`,
      });
    values[name] = valueOf(spec, given, readFile);
  }
  return { values: values as OptionValues<T>, positionals, sources };
}

function readFlags(table: OptionTable, argv: readonly string[]) {
  const names = new Map(Object.entries(table).map(([name, spec]) => [flagName(name, spec), name]));
  const { tokens } = parseArgs({
    args: [...argv],
    options: Object.fromEntries(
      [...names].map(([flag, name]) => [flag, { type: isSwitch(specOf(table, name)) ? "boolean" : "string" } as const]),
    ),
    // The errors of the strict mode name neither the nearest flag nor what to do.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<string, Given>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const { name, text } = readFlag(table, names, token);
    const spec = specOf(table, name);
    const before = flags.get(name);
    if (before && !spec.repeatable)
      throw new PortholeError("usage", `${token.rawName} is given twice`, { hint: "Leave one of them out." });
    const label = spec.secret ? `--${flagName(name, spec)}` : `--${name}`;
    flags.set(name, { source: "flag", label, texts: [...(before?.texts ?? []), text] });
  }
  return { flags, positionals };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function readFlag(table: OptionTable, names: ReadonlyMap<string, string>, token: OptionToken) {
  const negated = token.name.startsWith("no-") ? names.get(token.name.slice(3)) : undefined;
  if (negated !== undefined && isSwitch(specOf(table, negated))) {
    if (token.value === undefined) return { name: negated, text: "false" };
    throw new PortholeError("usage", `${token.rawName} takes no value`);
  }
  const name = token.rawName.startsWith("--") ? names.get(token.name) : undefined;
  if (name === undefined) throw unknownFlag(table, names, token);
  const spec = specOf(table, name);
  if (isSwitch(spec)) return { name, text: token.value ?? "true" };
  // `--local --json` has lost its value; a value with a dash is written --local=-x.
  if (token.value && (token.inlineValue || !/^-./.test(token.value))) return { name, text: token.value };
  throw new PortholeError("usage", `${token.rawName} needs a value: ${token.rawName} ${placeholderOf(spec)}`, {
    ...(token.value === "" ? { hint: emptyHint } : {}),
  });
}

function unknownFlag(table: OptionTable, names: ReadonlyMap<string, string>, token: OptionToken): PortholeError {
  if (Object.hasOwn(table, token.name) && specOf(table, token.name).secret)
    return new PortholeError("usage", `${token.rawName} would show a secret to every user of this machine`, {
      hint: `Put it into a file and give --${token.name}-file PATH, or use the environment variable.`,
    });
  const nearest = nearestOf(token.name, [...names.keys(), "help", "version"]);
  return new PortholeError("usage", `Unknown flag ${token.rawName}`, {
    hint: nearest === undefined ? "--help all lists the flags." : `Did you mean --${nearest}?`,
  });
}

function fromEnv(name: string, spec: OptionSpec, env: Env): Given | undefined {
  const variable = envName(name, spec);
  const file = spec.secret ? env[`${variable}_FILE`] : undefined;
  if (file) return { source: "env", label: `${variable}_FILE`, texts: [file] };
  const text = env[variable];
  // Compose files and unit files can't unset a variable, only empty it.
  if (!text) return undefined;
  const texts = spec.repeatable
    ? text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "")
    : [text];
  return { source: "env", label: variable, texts };
}

function fromFile(name: string, spec: OptionSpec, file: ConfigFile | undefined): Given | undefined {
  const key = flagName(name, spec);
  const texts = file?.values.get(key);
  if (!file || !texts || spec.notInFile) return undefined;
  const label = file.labelOf?.(key) ?? `${file.path}: ${key}`;
  if (texts.length !== 1 && !spec.repeatable) throw new PortholeError("usage", `${label} takes one value, not a list`);
  const isPath = spec.secret || placeholderOf(spec) === "PATH";
  return { source: "file", label, texts: isPath ? texts.map((text) => resolvePath(file, text)) : texts };
}

function findFile(
  context: ConfigFileContext | undefined,
  fromCaller: (name: string, spec: OptionSpec) => Given | undefined,
  readFile: (path: string) => string,
): ConfigFile | undefined {
  const found = context?.find((name) => fromCaller(name, specOf(context.settings, name))?.texts[0]);
  if (!context || found === undefined) return undefined;
  const file = readConfigFile(found, readFile);
  checkKeys(context.settings, file);
  return file;
}

/** A misspelt key must not be a setting that silently stays as it was. */
function checkKeys(settings: OptionTable, file: ConfigFile): void {
  const known = Object.entries(settings).map(([name, spec]) => flagName(name, spec));
  for (const key of file.values.keys()) {
    if (known.includes(key)) continue;
    const nearest = nearestOf(key, known);
    throw new PortholeError("usage", `${file.path}: there is no setting ${JSON.stringify(key)}`, {
      hint: nearest === undefined ? "The settings are called as the flags are." : `Did you mean ${nearest}?`,
    });
  }
}

function fromDefault(name: string, spec: OptionSpec): Given | undefined {
  if (spec.default === undefined) return undefined;
  return { source: "default", label: `--${name}`, texts: [spec.default] };
}

function valueOf(spec: OptionSpec, given: Given | undefined, readFile: (path: string) => string): unknown {
  const values = (given?.texts ?? []).map((text) => {
    if (spec.secret) return secretOf(spec, given?.label ?? "", text, readFile);
    const value = parsed(spec, given?.label ?? "", text);
    if (given?.source === "flag" && spec.parse.holdsSecret?.(value))
      throw new PortholeError("usage", `${given.label} would show a secret to every user of this machine`, {
        hint: "Give it by the environment variable or in the configuration file.",
      });
    return value;
  });
  if (spec.repeatable) return values;
  return values[0] ?? (isSwitch(spec) ? false : undefined);
}

const emptyHint = "Leave it out where there is nothing to say.";

function parsed(spec: OptionSpec, label: string, text: string): unknown {
  if (text.trim() === "") throw new PortholeError("usage", `${label} is empty`, { hint: emptyHint });
  try {
    return spec.parse.parse(text);
  } catch (reason) {
    throw badValue(label, reason);
  }
}

function secretOf(spec: OptionSpec, label: string, given: string, readFile: (path: string) => string): Secret {
  let text = given;
  if (label.endsWith("-file") || label.endsWith("_FILE")) {
    try {
      text = readFile(given).trim();
    } catch (reason) {
      throw badValue(label, stateError("read", given, reason));
    }
  }
  if (text === "") throw new PortholeError("usage", `${label}: the secret is empty`);
  try {
    spec.parse.parse(text);
  } catch {
    // A parser's message quotes the value.
    throw new PortholeError("usage", `${label}: the secret does not have the expected form`);
  }
  return new Secret(text);
}

function badValue(label: string, reason: unknown): PortholeError {
  const { message, hint } = PortholeError.from(reason);
  return new PortholeError("usage", `${label}: ${message}`, {
    cause: reason,
    hint: hint ?? "--help all lists the flags and their values.",
  });
}

/** Returns the word for the option's value in help: `PORT`. */
export function placeholderOf(spec: OptionSpec): string {
  if (spec.secret) return "PATH";
  return spec.placeholder ?? spec.parse.placeholder;
}

function specOf(table: OptionTable, name: string): OptionSpec {
  const spec = table[name];
  if (spec === undefined) throw new Error(`no option ${name}`);
  return spec;
}
