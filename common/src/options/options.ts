import type { Secret } from "../util/secret.ts";
import type { Parser } from "./parsers.ts";

/**
 * One option: a flag of the command line, an environment variable, a line of the help text and a row in the documentation.
 * That is what command-line libraries don't make of one table; the arguments themselves are split by `node:util`.
 * Its key in the table is the flag's name without the dashes.
 */
export interface OptionSpec<T = unknown> {
  /** Description of the option, a phrase without a full stop. */
  readonly help: string;
  readonly parse: Parser<T>;
  /** The environment variable: PORTHOLE_ and the flag's name in capitals when absent. */
  readonly env?: string;
  /** The default, as a user would write it. */
  readonly default?: string;
  /** For a default that is found out elsewhere: how help texts describe it. */
  readonly defaultHelp?: string;
  readonly required?: boolean;
  /** May be given several times, or with commas in the environment variable; the value is a list. */
  readonly repeatable?: boolean;
  /**
   * Never on a command line, where every user of the machine can read it: the flag is `--NAME-file PATH`, the environment variable
   * holds the secret, or with `_FILE` after its name the path. The value is a Secret (its text checked by `parse`).
   */
  readonly secret?: boolean;
  /** Not read from a configuration file: there the name belongs to another command's option. */
  readonly notInFile?: boolean;
  /** Few people need it: the help text has it only when all of it is asked for. */
  readonly advanced?: boolean;
  /** Stands for the value in help texts, instead of the parser's. */
  readonly placeholder?: string;
}

export type OptionTable = Readonly<Record<string, OptionSpec>>;

type One<S extends OptionSpec> = S extends { readonly secret: true }
  ? Secret
  : S["parse"] extends Parser<infer T>
    ? T
    : never;

/** The type of an option's value: a flag without a value is false when it is not given, a list is empty. */
export type OptionValue<S extends OptionSpec> = S extends { readonly repeatable: true }
  ? readonly One<S>[]
  : One<S> extends boolean
    ? boolean
    : S extends { readonly required: true } | { readonly default: string }
      ? One<S>
      : One<S> | undefined;

export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: OptionValue<T[K]> };

/** The table itself, checked: names in kebab-case, none of them twice once written as a flag or an environment variable. */
export function defineOptions<const T extends OptionTable>(table: T): T {
  const flags = new Set<string>(["help", "version"]);
  for (const [name, spec] of Object.entries(table)) {
    const flag = flagName(name, spec);
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || name.startsWith("no-") || flags.has(flag))
      throw new Error(`"${name}" can't be the name of an option`);
    flags.add(flag);
    if (spec.default !== undefined) spec.parse.parse(spec.default);
  }
  return table;
}

/** Returns the name of the flag without dashes. A secret's flag takes a file: `NAME-file`. */
export function flagName(name: string, spec: OptionSpec): string {
  return spec.secret ? `${name}-file` : name;
}

/** Every flag of the table with its dashes, `--no-` forms of switches that are on included. */
export function flagNames(table: OptionTable): readonly string[] {
  const own = Object.entries(table).map(
    ([name, spec]) => `--${isSwitch(spec) && spec.default === "true" ? "no-" : ""}${flagName(name, spec)}`,
  );
  return [...own, "--help"];
}

/** Returns the name of the environment variable. */
export function envName(name: string, spec: OptionSpec): string {
  return spec.env ?? `PORTHOLE_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Returns whether the option is on or off and takes no value. */
export function isSwitch(spec: OptionSpec): boolean {
  return spec.parse.placeholder === "";
}
