import { PortholeError } from "@porthole/common/errors";
import { formatInvite, type Invite } from "@porthole/common/invite";
import { text, type HostPort, type Parser } from "@porthole/common/options";
import { formatDuration, systemClock, type Secret } from "@porthole/common/util";
import { addInvite, type Enrollments, type Ledger } from "../admission/index.ts";
import { readAdvertisedAddress } from "../config/advertised-address.ts";
import { commandLine } from "./admission-options.ts";

export interface InviteWishes {
  readonly uses: number;
  readonly expiresMs: number;
  readonly label?: string | undefined;
  /** See InviteRecord. */
  readonly maxNames?: number | undefined;
  readonly keyLastsMs?: number | undefined;
  /** The relay's address for clients. Defaults to the one that it advertises. */
  readonly address?: HostPort | undefined;
}

export interface MadeInvite extends Invite {
  readonly id: string;
  readonly wishes: InviteWishes;
  readonly expiresAt: number;
  /** The relay's page that opens the invite in every editor, if it has one. */
  readonly joinPage: string | undefined;
}

export const inviteLabel: Parser<string> = {
  placeholder: text.placeholder,
  parse(value) {
    if (value.length <= 100 && !/\p{C}/u.test(value)) return value;
    throw new PortholeError("usage", "expected at most 100 characters that can be shown");
  },
};

/** Writes an invite into the enrollments, whether or not the relay runs. Rejects with `state` or `usage` when nobody knows where it is. */
export async function makeInvite(
  ledger: Ledger<Enrollments>,
  stateDir: string,
  wishes: InviteWishes,
): Promise<MadeInvite> {
  const { uses, expiresMs, label, address, maxNames, keyLastsMs } = wishes;
  const contact = await readAdvertisedAddress(stateDir);
  const host = address?.host ?? contact?.host;
  if (!contact || host === undefined) throw noAddress(contact !== undefined);
  const relay = { host, port: address?.port ?? contact.port };
  const expiresAt = systemClock.now() + expiresMs;
  let token: Secret | undefined;
  await ledger.update((enrollments, now) => {
    const added = addInvite(enrollments, { uses, expiresAt, label, maxNames, keyLastsMs }, now);
    ({ token } = added);
    return added.enrollments;
  }, new AbortController().signal);
  if (!token) throw new Error("no token was made");
  const [id = ""] = token.reveal().split(".");
  const { pin, certificateDirectory, joinPage } = contact;
  return { relay, pin, certificateDirectory, token, id, wishes, expiresAt, joinPage };
}

/** `stateDir` as it was given. */
export function describeInvite(made: MadeInvite, stateDir: string | undefined): string {
  const { uses, expiresMs } = made.wishes;
  const who = uses === 1 ? "One client" : `${uses} clients`;
  return `${who} can join within ${formatDuration(expiresMs)}. Pass the link on as you would a password.

  On a command line:
    porthole join '${formatInvite(made, "porthole")}'

${made.joinPage === undefined ? "" : `  In any editor, by a page of the relay:\n    ${formatInvite(made, { page: made.joinPage })}\n\n`}  In VS Code:
    ${formatInvite(made, "vscode")}

To take it back: ${commandLine(`invite revoke ${made.id}`, stateDir)}
`;
}

/** Returns the invite as a line of JSON, with its links. */
export function inviteJson(made: MadeInvite): string {
  const { id, relay, pin, certificateDirectory, wishes, expiresAt, joinPage: page } = made;
  const links = {
    porthole: formatInvite(made, "porthole"),
    vscode: formatInvite(made, "vscode"),
    ...(page === undefined ? {} : { page: formatInvite(made, { page }) }),
  };
  const { uses, label } = wishes;
  return `${JSON.stringify({ id, ...links, relay, pin, certificateDirectory, uses, label, expiresAt })}\n`;
}

function noAddress(isKnown: boolean): PortholeError {
  return isKnown
    ? new PortholeError("usage", "The relay has no public name, so the invite can't say where it is", {
        hint: "Say it with --address HOST:PORT.",
      })
    : new PortholeError("state", "It is not known yet where clients reach the relay", {
        hint: "Start the relay once, or run porthole-relay setup. If it has run, name its folder with --state-dir.",
      });
}
