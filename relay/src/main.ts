#!/usr/bin/env node
import { PortholeError } from "@porthole/common/errors";
import { asksFor, asksForAllHelp, helpText, errorLines, exitStatusOf } from "@porthole/common/options";
import { endWithReader } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { commands } from "./commands/commands.ts";
import { relayOptions } from "./config/options.ts";
import { readValues } from "./config/read-values.ts";
import { serve } from "./commands/serve.ts";

async function main(argv: readonly string[]): Promise<number> {
  const [name = "", ...rest] = argv;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  const isServing = !command && !asksFor(argv, "help") && !asksFor(argv, "version");
  // The log of a relay that serves is written in another way.
  if (!isServing) endWithReader("porthole-relay");
  if (command) return command.run(rest);
  if (asksFor(argv, "help")) process.stdout.write(help(argv));
  else if (asksFor(argv, "version")) process.stdout.write(`${version}\n`);
  else if (name === "" || name.startsWith("-")) await serve(() => readValues(relayOptions, argv).values);
  else throw unknownCommand(name);
  return 0;
}

function help(argv: readonly string[]): string {
  return helpText(relayOptions, {
    summary: "The relay of Porthole: gives clients a public name and carries bytes that it cannot read.",
    example: "porthole-relay --domain-suffix tunnel.example.com",
    commands: Object.fromEntries(Object.values(commands).map(({ usage, help }) => [usage, help])),
    columns: process.stdout.columns,
    all: asksForAllHelp(argv),
  });
}

function unknownCommand(name: string): PortholeError {
  return new PortholeError("usage", `There is no command ${JSON.stringify(name)}`, {
    hint: `Without a command the relay runs; the others are: ${Object.keys(commands).join(", ")}.`,
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (reason) {
  const error = PortholeError.from(reason);
  process.stderr.write(errorLines("porthole-relay", error));
  if (error.code === "internal" && error.cause instanceof Error) process.stderr.write(`${error.cause.stack ?? ""}\n`);
  process.exitCode = exitStatusOf(error);
}
