import {
  asksFor,
  asksForAllHelp,
  helpText,
  readOptions,
  type OptionTable,
  type OptionValues,
} from "@porthole/common/options";
import { longestTimerMs } from "@porthole/common/util";
import { readValues } from "../config/read-values.ts";

/** A command of `porthole-relay`. */
export interface Command {
  /** The command's line in the program's help: `invite [list|revoke ID]`. */
  readonly usage: string;
  readonly help: string;
  /** Reads the arguments after its name and does it. Resolves with the exit status; rejects with a `PortholeError`. */
  run(argv: readonly string[]): Promise<number>;
}

export interface CommandSpec<T extends OptionTable> {
  readonly usage: string;
  readonly help: string;
  /** A whole command line that works. */
  readonly example: string;
  readonly options: T;
  /** Further lines for its own help. */
  readonly commands?: Readonly<Record<string, string>>;
  /** How many arguments without dashes it takes. */
  readonly maxPositionals?: number;
  /** True if absent. */
  readonly readsConfigFile?: boolean;
  run(values: OptionValues<T>, positionals: readonly string[]): Promise<number>;
}

/** Makes a command that prints its help for `--help` and otherwise reads its options and runs. */
export function defineCommand<const T extends OptionTable>(spec: CommandSpec<T>): Command {
  const { usage, help, example, options, commands, maxPositionals = 0, readsConfigFile = true } = spec;
  return {
    usage,
    help,
    async run(argv) {
      if (asksFor(argv, "help")) {
        const context = { summary: `${help}.`, example, columns: process.stdout.columns, all: asksForAllHelp(argv) };
        process.stdout.write(helpText(options, commands ? { ...context, commands } : context));
        return 0;
      }
      const { values, positionals } = readsConfigFile
        ? readValues(options, argv, maxPositionals)
        : readOptions(options, argv, process.env, { maxPositionals });
      // The clock's timers keep no process alive, and a command may wait for nothing else.
      const alive = setInterval(() => {}, longestTimerMs);
      try {
        return await spec.run(values, positionals);
      } finally {
        clearInterval(alive);
      }
    },
  };
}
