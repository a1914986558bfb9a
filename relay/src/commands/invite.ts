import { PortholeError } from "@porthole/common/errors";
import { formatInvite, type Invite } from "@porthole/common/invite";
import { durationMs, hostPort, integer, text, type Parser } from "@porthole/common/options";
import { defaultApiPort } from "@porthole/common/protocol";
import { formatDuration, formatMinute, systemClock, type Secret } from "@porthole/common/util";
import { addInvite, revokeInvite, type Book } from "../admission/index.ts";
import { defineCommand } from "../command.ts";
import { readContact } from "../contact.ts";
import { admissionOptions, columns, openBookOf, stateDirOf } from "./admission-options.ts";

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

const label: Parser<string> = {
  placeholder: text.placeholder,
  parse(value) {
    if (value.length <= 100 && !/\p{C}/u.test(value)) return value;
    throw new PortholeError("usage", "expected at most 100 characters that can be shown");
  },
};

/** Makes the links by which clients join, lists them and takes them back; whether or not the relay runs. */
export const invite = defineCommand({
  usage: "invite [list|revoke ID]",
  help: "Make a link by which a client joins",
  example: "porthole-relay invite --label 'Ada, laptop'",
  options: {
    ...admissionOptions,
    uses: { help: "How many may join with it", parse: integer(1, 1_000), fallback: "1", notInFile: true },
    expires: { help: "How long it can be used", parse: expiry, fallback: "24h", notInFile: true },
    label: { help: "Whom it is for; for your lists only", parse: label, notInFile: true },
    address: {
      help: "Where clients reach the relay, if not by its name and --api-port",
      parse: hostPort(defaultApiPort),
      notInFile: true,
    },
  },
  maxPositionals: 2,
  async run(values, [action, id, ...rest]) {
    const file = await openBookOf(values);
    if (action === undefined) {
      const { uses, expires, label, address } = values;
      const contact = await readContact(stateDirOf(values));
      const host = address?.host ?? contact?.host;
      if (!contact || host === undefined) throw noAddress(contact !== undefined);
      const relay = { host, port: address?.port ?? contact.port };
      const expiresAt = systemClock.now() + expires;
      let token: Secret | undefined;
      await file.update((book, now) => {
        const added = addInvite(book, { uses, expiresAt, label }, now);
        ({ token } = added);
        return added.book;
      }, signal);
      if (!token) throw new Error("no token was made");
      const made: Invite = { relay, pin: contact.pin, token };
      process.stdout.write(values.json ? asJson(made, { uses, expiresAt, label }) : describe(made, uses, expires));
    } else if (action === "list" && id === undefined) {
      process.stdout.write(values.json ? `${JSON.stringify(listed(file.book))}\n` : describeAll(file.book));
    } else if (action === "revoke" && id !== undefined && rest.length === 0) {
      await file.update((book) => revokeInvite(book, id), signal);
      process.stdout.write(`Nobody can join with the invite ${id} any more. Who has joined with it stays.\n`);
    } else {
      throw new PortholeError("usage", `porthole-relay invite does not know ${[action, id].join(" ").trim()}`, {
        hint: "porthole-relay invite, invite list, or invite revoke ID.",
      });
    }
    return 0;
  },
});

function noAddress(isKnown: boolean): PortholeError {
  return isKnown
    ? new PortholeError("usage", "The relay has no public name, so the invite can't say where it is", {
        hint: "Say it with --address HOST:PORT.",
      })
    : new PortholeError("state", "It is not known yet where clients reach the relay", {
        hint: "Start the relay once, or run porthole-relay setup. If it has run, name its folder with --state-dir.",
      });
}

function idOf(token: Secret): string {
  return token.reveal().split(".")[0] ?? "";
}

function asJson(
  made: Invite,
  fields: { readonly uses: number; readonly expiresAt: number; readonly label?: string | undefined },
): string {
  const { relay, pin, token } = made;
  const links = { porthole: formatInvite(made, "porthole"), vscode: formatInvite(made, "vscode") };
  return `${JSON.stringify({ id: idOf(token), ...links, relay, pin, ...fields })}\n`;
}

function describe(made: Invite, uses: number, expiresMs: number): string {
  const id = idOf(made.token);
  const who = uses === 1 ? "One client" : `${uses} clients`;
  return `${who} can join within ${formatDuration(expiresMs)}. Pass the link on as you would a password.

  On a command line:
    porthole join '${formatInvite(made, "porthole")}'

  In the editor:
    ${formatInvite(made, "vscode")}

To take it back: porthole-relay invite revoke ${id}
`;
}

function listed(book: Book) {
  return Object.entries(book.invites).map(([id, { label, uses, usedBy, createdAt, expiresAt }]) => ({
    id,
    label,
    uses,
    used: usedBy.length,
    createdAt,
    expiresAt,
  }));
}

function describeAll(book: Book): string {
  const invites = listed(book);
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
