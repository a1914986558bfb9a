#!/usr/bin/env node
import { PortholeError } from "@porthole/common/errors";
import { asksFor, asksForAllHelp, helpText, readOptions, errorLines, exitStatusOf } from "@porthole/common/options";
import { endWithReader } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { commands, unknownCommand } from "./commands.ts";
import { didYouMean } from "./did-you-mean.ts";
import { targetsOf } from "./config.ts";
import { clientOptions } from "./options.ts";
import { runClient } from "./run.ts";
import { maxTargets, parseTarget, type Target } from "./targets.ts";

async function main(argv: readonly string[]): Promise<void> {
  const [name = "", ...rest] = argv;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const { columns } = process.stdout;
  const isOneShot = asksFor(argv, "help") || asksFor(argv, "version") || (command && !command.ownsOutput);
  if (isOneShot) endWithReader("porthole");
  if (asksFor(argv, "help")) process.stdout.write(command ? command.helpText(rest, columns) : help(argv, columns));
  else if (asksFor(argv, "version")) process.stdout.write(`${version}\n`);
  else if (command) await command.run(rest);
  else if (name === "help" || isBare(argv)) process.stdout.write(help(argv, columns));
  else if (/^[a-z]+$/i.test(name)) throw unknownCommand(argv);
  else await expose(argv);
}

/** `porthole` alone exposes nothing that the user has not named, by a variable at least. */
function isBare(argv: readonly string[]): boolean {
  const { PORTHOLE_LOCAL: local, PORTHOLE_SERVER: server } = process.env;
  return argv.length === 0 && !local && !server;
}

/** `porthole 3000`, `porthole web=3000 api=4000`, or what `--local` says. */
async function expose(argv: readonly string[]): Promise<void> {
  const { values, positionals } = readOptions(clientOptions, argv, process.env, { maxPositionals: maxTargets });
  const targets = targetsIn(positionals);
  await runClient(values, targetsOf(values, targets));
}

function targetsIn(positionals: readonly string[]): readonly Target[] {
  return positionals.map((text) => {
    try {
      return parseTarget(text);
    } catch (reason) {
      const hint = didYouMean([text], Object.keys(commands));
      if (hint === undefined) throw reason;
      throw new PortholeError("usage", PortholeError.from(reason).message, { hint });
    }
  });
}

function help(argv: readonly string[], columns: number | undefined): string {
  return helpText(clientOptions, {
    summary: "Puts a local port on the internet, through a relay that cannot read what it carries.",
    example: "porthole 3000 --server relay.example.com:4433",
    commands: Object.fromEntries(Object.values(commands).map(({ usage, help }) => [usage, help])),
    ...(columns && { columns }),
    all: asksForAllHelp(argv),
  });
}

try {
  await main(process.argv.slice(2));
} catch (reason) {
  const error = PortholeError.from(reason);
  process.stderr.write(errorLines("porthole", error));
  if (error.code === "internal" && error.cause instanceof Error) process.stderr.write(`${error.cause.stack ?? ""}\n`);
  process.exitCode = exitStatusOf(error);
}
