import { PortholeError } from "@porthole/common/errors";
import type { ExchangeSummary } from "@porthole/tunnel/rpc";
import {
  choice,
  defineOptions,
  flag,
  helpText,
  integer,
  path,
  port,
  readOptions,
  text,
} from "@porthole/common/options";
import { visibleJson } from "@porthole/common/util";
import { printableLines } from "../printable.ts";
import { stopController } from "../stop-signals.ts";
import { pageOf } from "./page.ts";
import { fullExchange } from "./full-exchange.ts";
import { edited, editFrom } from "./replay-edit.ts";
import { inspectInBrowser } from "./web.ts";
import { tunnelOption, withRunningTunnel, type TunnelClient } from "../running-client.ts";
import { writeExport } from "./write-export.ts";
import { colourPaint, headingOf, plainPaint, rowOf, type Paint } from "./row.ts";

const common = {
  tunnel: tunnelOption,
  "state-dir": { help: "State folder of the client", parse: path, defaultHelp: "the platform's data folder" },
  json: { help: "JSON instead of text", parse: flag },
} as const;
const unredacted = { help: "Passwords, tokens and cookies too", parse: flag } as const;

const options = {
  follow: defineOptions({
    ...common,
    web: { help: "In a browser on this machine, instead of lines here", parse: flag },
    "web-port": { help: "Port of 127.0.0.1 for it", parse: port, placeholder: "PORT", defaultHelp: "a free one" },
  }),
  each: defineOptions(common),
  list: defineOptions({ ...common, limit: { help: "How many", parse: integer(1, 1_000), default: "100" } }),
  show: defineOptions({ ...common, unredacted }),
  replay: defineOptions({
    ...common,
    method: { help: "Another method", parse: text, placeholder: "METHOD" },
    target: { help: "Another path and query", parse: text, placeholder: "PATH" },
    header: { help: "A header in place of those of its name", parse: text, placeholder: "HEADER", repeatable: true },
    "body-file": { help: "Another body", parse: path },
    edit: { help: "Edit it first, in $EDITOR", parse: flag },
  }),
  export: defineOptions({
    ...common,
    unredacted,
    as: { help: "Form", parse: choice("curl", "fetch", "har"), default: "curl" },
    "to-service": { help: "To the local service, instead of the public URL", parse: flag },
    out: { help: "File to write; it must not exist", parse: path },
  }),
};

/** Without a command after it. */
export const inspectOptions = options.follow;

type Command = (argv: readonly string[], out: Output) => Promise<void>;

/** Takes what it prints. */
export interface Output {
  write(text: string): void;
  readonly columns: number;
  readonly isTerminal: boolean;
}

const commands: Readonly<Record<string, Command>> = {
  async list(argv, out) {
    const { values, positionals } = readOptions(options.list, argv, process.env, { maxPositionals: 100 });
    const query = { filter: { text: positionals.join(" ") }, limit: values.limit };
    const { exchanges } = await withRunningTunnel(values, (client) =>
      client.call("inspect/list", { ...query, tunnel: client.tunnel }),
    );
    if (values.json) for (const row of exchanges) out.write(`${visibleJson(row)}\n`);
    else printRows(exchanges, out);
  },

  async show(argv, out) {
    const { values, positionals } = readOptions(options.show, argv, process.env, { maxPositionals: 1 });
    const id = onlyId(positionals, "show");
    const full = await withRunningTunnel(values, (client) => fullExchange(client, id, values.unredacted));
    if (values.json) out.write(`${visibleJson(full)}\n`);
    else out.write(`${pageOf(full, paintOf(out)).join("\n")}\n`);
  },

  async replay(argv, out) {
    const { values, positionals } = readOptions(options.replay, argv, process.env, { maxPositionals: 1 });
    const id = onlyId(positionals, "replay");
    const full = await withRunningTunnel(values, async (client) => {
      const edit = values.edit ? await edited(client, id) : await editFrom(client, id, values);
      if (values.edit && !edit) return undefined;
      const replay = await client.call("inspect/replay", { tunnel: client.tunnel, id, ...(edit && { edit }) });
      await ended(client, replay.id);
      return fullExchange(client, replay.id, false);
    });
    if (!full) return out.write("Nothing was sent.\n");
    if (values.json) out.write(`${visibleJson(full.detail)}\n`);
    else out.write(`${pageOf(full, paintOf(out)).join("\n")}\n`);
  },

  async export(argv, out) {
    const { values, positionals } = readOptions(options.export, argv, process.env, { maxPositionals: 100 });
    const format = values.as;
    const ids = positionals.filter((id) => /^\d+$/.test(id));
    const filter = { text: positionals.filter((word) => !ids.includes(word)).join(" ") };
    if (format !== "har" && ids.length === 0)
      throw new PortholeError("usage", `--as ${format} needs the id of a request`, {
        hint: "porthole inspect list shows them; --as har takes a filter, too.",
      });
    const to = values["to-service"] ? "service" : "public";
    const query = { format, ids, filter, unredacted: values.unredacted, to } as const;
    const { text, notes } = await withRunningTunnel(values, (client) =>
      client.call("inspect/export", { ...query, tunnel: client.tunnel }),
    );
    if (values.out === undefined) out.write(out.isTerminal ? printableLines(text) : text);
    else await writeExport(values.out, text);
    // Not into what is piped on.
    for (const note of notes) process.stderr.write(`${note}\n`);
  },

  async clear(argv, out) {
    const { values } = readOptions(options.each, argv, process.env);
    await withRunningTunnel(values, (client) => client.call("inspect/clear", { tunnel: client.tunnel }));
    out.write("Forgotten.\n");
  },

  pause: (argv, out) => record(argv, out, false),
  resume: (argv, out) => record(argv, out, true),
};

const help: Readonly<Record<string, { readonly example: string; readonly summary: string }>> = {
  list: { example: "porthole inspect list method:POST status:5xx", summary: "The newest requests, once." },
  show: { example: "porthole inspect show 12", summary: "One request: headers, times, bodies and messages." },
  replay: {
    example: "porthole inspect replay 12 --header 'X-Debug: 1'",
    summary: "Sends a request to the local service again, as it was or changed, and shows the answer.",
  },
  export: {
    example: "porthole inspect export 12 --as curl",
    summary: "A request as a command or as code; as HAR several requests, by their ids or a filter.",
  },
};

/** The answer to `porthole inspect --help` and `porthole inspect COMMAND --help`. */
export function inspectHelp([name = ""]: readonly string[], columns: number | undefined): string {
  const about = Object.hasOwn(help, name) ? help[name] : undefined;
  const table =
    name === "list" || name === "show" || name === "replay" || name === "export" ? options[name] : undefined;
  if (about && table) return helpText(table, { ...about, ...(columns && { columns }) });
  return helpText(options.follow, {
    example: "porthole inspect method:POST status:5xx path:/api",
    summary:
      "What visitors of the running client ask for: a list that grows. Filters are words; docs/inspector.md has all of them.",
    commands: {
      "list [FILTER]": "The newest, once",
      "show ID": "One request in full",
      "replay ID": "Send it again",
      "export ID": "As curl, fetch or HAR",
      "clear, pause, resume": "Forget what is kept; keep nothing for a while",
    },
    ...(columns && { columns }),
  });
}

/** `porthole inspect`: what the running client keeps of its visitors' requests. */
export async function inspect(argv: readonly string[]): Promise<void> {
  const { stdout } = process;
  const out: Output = {
    write: (text) => void stdout.write(text),
    columns: stdout.columns || 120,
    isTerminal: stdout.isTTY,
  };
  const [name = "", ...rest] = argv;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command) return command(rest, out);
  const { values, positionals } = readOptions(options.follow, argv, process.env, { maxPositionals: 100 });
  if (values.web) {
    if (values.json || values.tunnel !== undefined || positionals.length > 0)
      throw new PortholeError("usage", "--web goes with neither --json, --tunnel nor a filter", {
        hint: "The page lists every tunnel and has a filter of its own.",
      });
    return inspectInBrowser(values);
  }
  if (values["web-port"] !== undefined) throw new PortholeError("usage", "--web-port goes with --web");
  const filter = positionals.join(" ");
  if (out.isTerminal && !values.json)
    process.stderr.write("Requests as they end. --web shows them in a browser; Ctrl-C leaves.\n");
  await withRunningTunnel(values, (client) => follow(client, filter, values.json, out));
}

/** A line for each request once it has ended: those that are there, then those that come. */
async function follow(client: TunnelClient, filter: string, json: boolean, out: Output): Promise<void> {
  stopController().signal.addEventListener("abort", () => client.close());
  const told = new Set<string>();
  const tell = async (): Promise<void> => {
    const query = { tunnel: client.tunnel, filter: { text: filter }, limit: 1_000 };
    const { exchanges } = await client.call("inspect/list", query);
    const ended = exchanges.filter(({ id, state }) => state !== "open" && !told.has(id));
    for (const row of ended.toReversed()) {
      told.add(row.id);
      out.write(`${json ? visibleJson(row) : rowOf(row, out.columns, paintOf(out))}\n`);
    }
  };
  // One after the other. Followed first: what comes between is found by both, and told once.
  let telling = Promise.resolve();
  client.on("inspect/exchange", ({ id, changes }) => {
    if (id !== client.tunnel) return;
    for (const gone of changes.removed) told.delete(gone);
    if (changes.exchanges.some(({ state }) => state !== "open")) telling = telling.then(tell).catch(() => {});
  });
  await tell();
  await client.closed;
  await telling;
}

function printRows(rows: readonly ExchangeSummary[], out: Output): void {
  if (rows.length === 0) return out.write("No requests.\n");
  const paint = paintOf(out);
  out.write(`${paint("dim", headingOf(out.columns))}\n`);
  for (const row of rows) out.write(`${rowOf(row, out.columns, paint).trimEnd()}\n`);
}

async function record(argv: readonly string[], out: Output, recording: boolean): Promise<void> {
  const { values } = readOptions(options.each, argv, process.env);
  await withRunningTunnel(values, (client) => client.call("inspect/record", { tunnel: client.tunnel, recording }));
  out.write(recording ? "Recording.\n" : "Paused: new requests are not kept.\n");
}

/** Resolves when it has ended, for which the inspector has a deadline, or is kept no more. */
async function ended(client: TunnelClient, id: string): Promise<void> {
  const end = new Promise<void>((resolve) => {
    client.on("inspect/exchange", ({ changes: { exchanges, removed } }) => {
      if (removed.includes(id) || exchanges.some((row) => row.id === id && row.state !== "open")) resolve();
    });
  });
  const { summary } = await client.call("inspect/get", { tunnel: client.tunnel, id });
  if (summary.state === "open") await Promise.race([end, client.closed]);
}

function onlyId([id]: readonly string[], command: string): string {
  if (id !== undefined) return id;
  throw new PortholeError("usage", `porthole inspect ${command} needs the id of a request`, {
    hint: "porthole inspect list shows them.",
  });
}

function paintOf(out: Output): Paint {
  return out.isTerminal && !process.env["NO_COLOR"] ? colourPaint : plainPaint;
}
