import { PortholeError } from "@porthole/common/errors";
import { durationMs } from "@porthole/common/options";
import { formatMinute } from "@porthole/common/util";
import { addBan, liftBan, type Enrollments } from "../admission/index.ts";
import { admissionOptions, columns, withEnrollments } from "./admission-options.ts";
import { defineCommand } from "./command.ts";

const { signal } = new AbortController();

/** Keeps keys, networks and names out, whatever the lists say; whether or not the relay runs. */
export const ban = defineCommand({
  usage: "ban KEY|ADDRESS[/BITS]|NAME, ban list|lift WHAT",
  help: "Keep a client, a network or a name out, on an open relay too",
  example: "porthole-relay ban 203.0.113.0/24 --for 7d",
  options: {
    ...admissionOptions,
    for: { help: "How long", parse: durationMs, defaultHelp: "for good", notInFile: true },
  },
  maxPositionals: 2,
  async run(values, [action, what]) {
    await withEnrollments(values, async (file) => {
      if (action === "list" && what === undefined) {
        const bans = listed(file.state);
        process.stdout.write(values.json ? `${JSON.stringify(bans)}\n` : describe(bans));
      } else if (action === "lift" && what !== undefined) {
        await file.update((enrollments) => liftBan(enrollments, what), signal);
        process.stdout.write(`${what} is not banned any more.\n`);
      } else if (action !== undefined && action !== "lift" && what === undefined) {
        const lastsMs = values.for;
        await file.update(
          (enrollments, now) => addBan(enrollments, action, now, lastsMs === undefined ? undefined : now + lastsMs),
          signal,
        );
        process.stdout.write(`${action} is banned. A running relay ends the links that this concerns.\n`);
      } else {
        throw new PortholeError("usage", "porthole-relay ban needs to know whom", {
          hint: "porthole-relay ban CLIENT-ID, ban 203.0.113.7, ban NAME, ban list, or ban lift WHAT.",
        });
      }
    });
    return 0;
  },
});

function listed(enrollments: Enrollments) {
  return Object.entries(enrollments.bans).map(([what, ban]) => ({ what, ...ban }));
}

function describe(bans: ReturnType<typeof listed>): string {
  if (bans.length === 0) return "Nobody is banned.\n";
  return columns([
    ["WHAT", "KIND", "SINCE", "UNTIL"],
    ...bans.map(({ what, kind, bannedAt, until }) => [
      what,
      kind,
      formatMinute(bannedAt),
      until === undefined ? "for good" : formatMinute(until),
    ]),
  ]);
}
