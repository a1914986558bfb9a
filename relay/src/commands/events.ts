import { setTimeout as pause } from "node:timers/promises";
import { flag } from "@porthole/common/options";
import { formatDuration } from "@porthole/common/util";
import type { EventsAnswer, EventsPosition, RelayEvent } from "../monitoring/events.ts";
import { admissionOptions, stateDirOf } from "./admission-options.ts";
import { defineCommand } from "./command.ts";
import { askRelay } from "./control.ts";

const everyMs = 1_000;

/** Prints what has happened in the running relay, oldest first. Rejects with `closed` when no relay is running. */
export const events = defineCommand({
  usage: "events [--follow]",
  help: "Clients that came and went, limits, bans, certificates",
  example: "porthole-relay events --follow",
  options: {
    ...admissionOptions,
    follow: { help: "Continue with new events as they happen", parse: flag, notInFile: true },
  },
  async run(values) {
    const stateDir = stateDirOf(values);
    let position: EventsPosition | undefined;
    for (;;) {
      const answer = await askRelay<EventsAnswer>(stateDir, "events", position);
      if (answer.missed > 0) process.stderr.write(`${answer.missed} events came too fast and are not shown\n`);
      for (const event of answer.events)
        process.stdout.write(`${values.json ? JSON.stringify(event) : describeEvent(event)}\n`);
      if (!values.follow) return 0;
      position = { run: answer.run, after: answer.events.at(-1)?.id ?? positionIn(answer, position) };
      await pause(everyMs);
    }
  },
});

function positionIn({ run }: EventsAnswer, position: EventsPosition | undefined): number {
  return position?.run === run ? position.after : 0;
}

/** One line: when, what, who, and the rest. */
export function describeEvent(event: RelayEvent): string {
  const { time, type, label, client, names, transport, address, limit, source, before, what, until } = event;
  const { expires, restarts, forMs, code, reason } = event;
  const parts = [
    time.replace("T", " ").replace(/\.\d+Z$/, "Z"),
    type.padEnd(12),
    label ?? client,
    names?.join(" "),
    transport && (transport === "quic" ? "QUIC" : "HTTP/2"),
    address && `from ${address}`,
    limit && `by --${limit}`,
    source,
    before && `and ${before} before`,
    what,
    until && `until ${until}`,
    forMs && `for ${formatDuration(forMs)}`,
    expires && `until ${expires}`,
    restarts && `number ${restarts}`,
    reason === undefined ? code : `${reason}${code ? ` (${code})` : ""}`,
  ];
  return parts.filter((part) => part !== undefined && part !== "" && part !== 0).join("  ");
}
