import { PortholeError } from "@porthole/common/errors";
import { durationMs, hostPort, integer, type Parser } from "@porthole/common/options";
import { defaultApiPort } from "@porthole/common/protocol";
import { formatMinute, systemClock } from "@porthole/common/util";
import { maxNamesPerKey, revokeInvite, type Enrollments } from "../admission/index.ts";
import { defineCommand } from "./command.ts";
import { admissionOptions, columns, stateDirOf, withEnrollments } from "./admission-options.ts";
import { describeInvite, inviteJson, inviteLabel, makeInvite } from "./make-invite.ts";

const { signal } = new AbortController();
const minuteMs = 60_000;
const maxExpiryMs = 366 * 24 * 60 * minuteMs;

const expiry: Parser<number> = {
  placeholder: durationMs.placeholder,
  parse(value) {
    const ms = durationMs.parse(value);
    if (ms >= minuteMs && ms <= maxExpiryMs) return ms;
    throw new PortholeError("usage", "expected a time between 1m and 366d");
  },
};

const nameCount: Parser<number> = {
  placeholder: "NUMBER|none",
  parse: (value) => (value === "none" ? 0 : integer(0, maxNamesPerKey).parse(value)),
};

/** Makes the links by which clients join, lists them and takes them back; whether or not the relay runs. */
export const invite = defineCommand({
  usage: "invite [list|revoke ID]",
  help: "Make a link by which a client joins",
  example: "porthole-relay invite --label 'Ada, laptop'",
  options: {
    ...admissionOptions,
    uses: { help: "How many may join with it", parse: integer(1, 1_000), default: "1", notInFile: true },
    expires: { help: "How long it can be used", parse: expiry, default: "24h", notInFile: true },
    names: { help: "Friendly names of each key that joins, or none", parse: nameCount, default: "10", notInFile: true },
    "key-expires": {
      help: "How long each key that joins is let in",
      parse: expiry,
      defaultHelp: "for good",
      notInFile: true,
    },
    label: { help: "Whom it is for; for your lists only", parse: inviteLabel, notInFile: true },
    address: {
      help: "Where clients reach the relay, if not by its name and --api-port",
      parse: hostPort(defaultApiPort),
      notInFile: true,
    },
  },
  maxPositionals: 2,
  async run(values, [action, id, ...rest]) {
    if (action === undefined) {
      const { uses, expires: expiresMs, label, address, names, "key-expires": keyLastsMs } = values;
      const maxNames = names === maxNamesPerKey ? undefined : names;
      const made = await withEnrollments(values, (ledger) =>
        makeInvite(ledger, stateDirOf(values), { uses, expiresMs, label, address, maxNames, keyLastsMs }),
      );
      process.stdout.write(values.json ? inviteJson(made) : describeInvite(made, values["state-dir"]));
    } else if (action === "list" && id === undefined) {
      const state = await withEnrollments(values, async (ledger) => ledger.state);
      process.stdout.write(values.json ? `${JSON.stringify(listed(state))}\n` : describeAll(state));
    } else if (action === "revoke" && id !== undefined && rest.length === 0) {
      await withEnrollments(values, (ledger) => ledger.update((enrollments) => revokeInvite(enrollments, id), signal));
      process.stdout.write(`Nobody can join with the invite ${id} any more. Who has joined with it stays.\n`);
    } else {
      throw new PortholeError("usage", `porthole-relay invite does not know ${[action, id].join(" ").trim()}`, {
        hint: "porthole-relay invite, invite list, or invite revoke ID.",
      });
    }
    return 0;
  },
});

function listed(enrollments: Enrollments) {
  return Object.entries(enrollments.invites).map(
    ([id, { label, uses, usedBy, createdAt, expiresAt, maxNames, keyLastsMs }]) => ({
      id,
      label,
      uses,
      used: usedBy.length,
      createdAt,
      expiresAt,
      maxNames: maxNames ?? maxNamesPerKey,
      keyLastsMs,
    }),
  );
}

function describeAll(enrollments: Enrollments): string {
  const invites = listed(enrollments);
  if (invites.length === 0) return "There are no invites.\n";
  const now = systemClock.now();
  return columns([
    ["ID", "USED", "UNTIL", "LABEL"],
    ...invites.map(({ id, label, uses, used, expiresAt }) => [
      id,
      `${used} of ${uses}`,
      expiresAt <= now ? "expired" : formatMinute(expiresAt),
      label ?? "",
    ]),
  ]);
}
