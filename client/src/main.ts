#!/usr/bin/env node
import { PortholeError } from "@porthole/common/errors";
import { asksFor, asksForAllHelp, helpText, readOptions } from "@porthole/common/options";
import { version } from "@porthole/common/version";
import { runStdioAgent } from "./agent.ts";
import { doctor } from "./doctor.ts";
import { identity, identityHelp } from "./identity.ts";
import { inspect, inspectHelp } from "./inspect/commands.ts";
import { joinRelay, listRelays } from "./join.ts";
import { clientOptions } from "./options.ts";
import { runClient } from "./run.ts";
import { share, shareHelp } from "./share.ts";
import { commandClient } from "./status.ts";

const summary = "Puts a local port on the internet, through a relay that cannot read what it carries.";
const example = "porthole 3000 --server relay.example.com:4433";
const commands = {
  "join [INVITE]": "Remember a relay, so that porthole 3000 needs no --server",
  "relays [remove HOST]": "The relays that are remembered",
  "status [--json]": "What the running client is doing",
  stop: "End it",
  "doctor [OPTIONS]": "Say which hop between the local port and a visitor fails, and what to do",
  "identity show|export|import": "The key that the public name is made from",
  "agent --stdio": "Do what another program says: docs/rpc.md",
  "inspect [FILTER]": "Visitors' requests as they come; inspect list|show|replay|export|clear|pause|resume",
  "share [--for 2h] [--label TEXT]": "A link that lets in, with --access-share; share list, share revoke ID",
};

async function main(argv: readonly string[]): Promise<void> {
  if (asksFor(argv, "help")) {
    process.stdout.write(help(argv));
    return;
  }
  if (asksFor(argv, "version")) {
    process.stdout.write(`${version}\n`);
    return;
  }
  const [command, ...rest] = argv;
  if (command === "status" || command === "stop") process.stdout.write(await commandClient(command, rest));
  else if (command === "doctor") {
    const { text, status } = await doctor(withShortForm(rest));
    process.stdout.write(text);
    process.exitCode = status;
  } else if (command === "join") process.stdout.write(await joinRelay(rest));
  else if (command === "relays") process.stdout.write(await listRelays(rest));
  else if (command === "agent") await runStdioAgent(rest);
  else if (command === "inspect") await inspect(rest);
  else if (command === "identity") process.stdout.write(await identity(rest));
  else if (command === "share") process.stdout.write(await share(rest));
  else await runClient(readOptions(clientOptions, withShortForm(argv), process.env).values);
}

function help(argv: readonly string[]): string {
  const [command, ...rest] = argv;
  const { columns } = process.stdout;
  if (command === "inspect") return inspectHelp(rest, columns);
  if (command === "identity") return identityHelp(columns);
  if (command === "share") return shareHelp(columns);
  return helpText(clientOptions, { summary, example, commands, columns, all: asksForAllHelp(argv) });
}

/** `porthole 3000` is `porthole --local 3000`. */
function withShortForm(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  return first !== undefined && !first.startsWith("-") ? ["--local", first, ...rest] : argv;
}

try {
  await main(process.argv.slice(2));
} catch (reason) {
  const error = PortholeError.from(reason);
  process.stderr.write(`porthole: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ""}`);
  if (error.code === "internal" && error.cause instanceof Error) process.stderr.write(`${error.cause.stack ?? ""}\n`);
  process.exitCode = error.exitCode;
}
