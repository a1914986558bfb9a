import { defineOptions, flag, integer, readOptions } from "@porthole/common/options";
import { endWithReader, visibleJson } from "@porthole/common/util";
import type { DaemonConnection, HistoryEntry } from "@porthole/tunnel/rpc";
import type { Reporter } from "./reporter.ts";
import { chooseTunnel, withRunningClient } from "./running-client.ts";
import { runningOptions } from "./status.ts";
import { stopController } from "./stop-signals.ts";
import { describeTime } from "./text.ts";
import { createTextReporter } from "./text-reporter.ts";

export const logsOptions = defineOptions({
  follow: { help: "Wait for more, until Ctrl-C", parse: flag },
  limit: { help: "How many of the newest entries of a tunnel", parse: integer(1, 200), default: "200" },
  "state-dir": runningOptions["state-dir"],
  json: { help: "One JSON object a line", parse: flag },
});

type Entry = HistoryEntry & { readonly tunnel: string };

/** `porthole logs [NAME]`: prints what the running client remembers of one tunnel, or of all, and with `--follow` what comes. */
export async function logs(argv: readonly string[]): Promise<void> {
  const { values, positionals } = readOptions(logsOptions, argv, process.env, { maxPositionals: 1 });
  endWithReader("porthole");
  await withRunningClient(values["state-dir"], async (client) => {
    const { tunnels } = await client.call("tunnel/list", {});
    const all = tunnels.map(({ id }) => id);
    const [wanted] = positionals;
    const names = wanted === undefined ? all : [chooseTunnel(all, wanted)];
    const show = values.json ? printJson : textPrinter(names);
    const follow = values.follow ? following(client, wanted === undefined ? undefined : names, show) : undefined;
    const entries: Entry[] = [];
    for (const tunnel of names) {
      const history = await client.call("tunnel/history", { id: tunnel });
      // The requests of a connection are told one by one.
      const told = history.entries.filter(
        (entry) => values.json || entry.event !== "visit" || entry.visit.mode !== "http",
      );
      entries.push(...told.slice(-values.limit).map((entry) => ({ ...entry, tunnel })));
    }
    for (const entry of entries.toSorted((a, b) => a.time - b.time)) show(entry);
    await follow?.untilOver();
  });
}

/** Shows entries once `untilOver` is called. Earlier ones are in the history already. */
function following(client: DaemonConnection, names: readonly string[] | undefined, show: (entry: Entry) => void) {
  let isLive = false;
  const stop = stopController().signal;
  stop.addEventListener("abort", () => client.close());
  const tell = (entry: Entry): void => {
    if (isLive && (names?.includes(entry.tunnel) ?? true)) show(entry);
  };
  const time = (): number => Date.now();
  client.on("tunnel/state", ({ id, state }) => tell({ tunnel: id, time: time(), event: "state", state }));
  client.on("tunnel/visit", ({ id, visit }) => tell({ tunnel: id, time: time(), event: "visit", visit }));
  client.on("tunnel/request", ({ id, request }) => tell({ tunnel: id, time: time(), event: "request", request }));
  return {
    async untilOver(): Promise<void> {
      isLive = true;
      await client.closed;
    },
  };
}

function printJson({ time, ...entry }: Entry): void {
  process.stdout.write(`${visibleJson({ time: new Date(time).toISOString(), ...entry })}\n`);
}

function textPrinter(names: readonly string[]): (entry: Entry) => void {
  let clock = "";
  const output = {
    isTerminal: false,
    write: (text: string) => void process.stdout.write(`${clock}  ${text}`),
  };
  const reporter: Reporter = createTextReporter(output, { qr: false, tunnels: names });
  return (entry) => {
    clock = describeTime(entry.time);
    switch (entry.event) {
      case "state":
        return reporter.onState(entry.tunnel, entry.state);
      case "visit":
        return reporter.onVisit(entry.tunnel, entry.visit);
      case "request":
        return reporter.onRequest(entry.tunnel, entry.request);
    }
  };
}
