#!/usr/bin/env node
import { PortholeError } from "@porthole/common/errors";
import { asksFor, helpText, readOptions } from "@porthole/common/options";
import { runTunnel } from "@porthole/common/tunnel";
import { nodeVersionWarning, systemClock } from "@porthole/common/util";
import { version } from "@porthole/common/version";
import { prepareTunnel } from "./config.ts";
import { createDialers } from "./dialers.ts";
import { createJsonReporter } from "./json-reporter.ts";
import { clientOptions } from "./options.ts";
import { createTextReporter } from "./text-reporter.ts";

const summary = "Puts a local port on the internet, through a relay that cannot read what it carries.";
const example = "porthole 3000 --server relay.example.com:4433";
const longestTimerMs = 2 ** 31 - 1;

async function main(argv: readonly string[]): Promise<void> {
  if (asksFor(argv, "help")) {
    process.stdout.write(helpText(clientOptions, { summary, example, columns: process.stdout.columns }));
    return;
  }
  if (asksFor(argv, "version")) {
    process.stdout.write(`${version}\n`);
    return;
  }
  const { values } = readOptions(clientOptions, withShortForm(argv), process.env);
  const write = (text: string): void => void process.stdout.write(text);
  const reporter = values.json
    ? createJsonReporter(write)
    : createTextReporter({ write, isTerminal: process.stdout.isTTY }, { qr: values.qr });
  // The clock's timers keep no process alive, and between two attempts there is nothing else.
  const alive = setInterval(() => {}, longestTimerMs);
  try {
    const { log } = reporter;
    const warning = nodeVersionWarning();
    if (warning) log.warn({}, warning);
    if (values.insecure) log.warn({}, "--insecure: whoever is between you and the relay can pose as the relay");
    const prepared = await prepareTunnel(values, { clock: systemClock, log });
    const options = {
      ...prepared,
      dialers: createDialers(),
      software: `porthole/${version}`,
      clock: systemClock,
      log,
    };
    await runTunnel(
      { ...options, onState: (state) => reporter.onState(state), onVisit: (report) => reporter.onVisit(report) },
      stopSignal(),
    );
  } finally {
    clearInterval(alive);
    reporter.close();
  }
}

/** `porthole 3000` is `porthole --local 3000`. */
function withShortForm(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  return first !== undefined && !first.startsWith("-") ? ["--local", first, ...rest] : argv;
}

/** Aborts at Ctrl-C; a second one ends the process at once. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new PortholeError("aborted", "Stopped by the user"));
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  return controller.signal;
}

try {
  await main(process.argv.slice(2));
} catch (reason) {
  const error = PortholeError.from(reason);
  process.stderr.write(`porthole: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ""}`);
  if (error.code === "internal" && error.cause instanceof Error) process.stderr.write(`${error.cause.stack ?? ""}\n`);
  process.exitCode = error.exitCode;
}
