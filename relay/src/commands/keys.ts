import { PortholeError } from "@porthole/common/errors";
import { clientIdOf } from "@porthole/common/identity";
import { formatDay } from "@porthole/common/util";
import {
  maxNamesPerKey,
  namesOf,
  parseKey,
  readAuthorizedKeys,
  revokeKey,
  type Enrollments,
} from "../admission/index.ts";
import { defineCommand } from "./command.ts";
import { relayOptions } from "../config/options.ts";
import { admissionOptions, columns, withEnrollments } from "./admission-options.ts";

const { signal } = new AbortController();

/** Lists who may connect, and takes the permission back; whether or not the relay runs. */
export const keys = defineCommand({
  usage: "keys list|revoke ID",
  help: "Who may connect, and who not any more",
  example: "porthole-relay keys list",
  options: { ...admissionOptions, "authorized-keys": relayOptions["authorized-keys"] },
  maxPositionals: 2,
  async run(values, [action, id]) {
    await withEnrollments(values, async (file) => {
      if (action === "list" && id === undefined) {
        const path = values["authorized-keys"];
        const inFile = path === undefined ? [] : [...(await readAuthorizedKeys(path))];
        const all = { joined: joined(file.state), authorized: inFile };
        process.stdout.write(values.json ? `${JSON.stringify(all)}\n` : describe(all, path));
      } else if (action === "revoke" && id !== undefined) {
        const key = parseKey(id);
        await file.update((enrollments, now) => revokeKey(enrollments, key, now), signal);
        process.stdout.write(
          `${clientIdOf(key)} can't connect any more; a running relay disconnects it. A new invite would let it in again.\n`,
        );
      } else {
        throw new PortholeError("usage", "porthole-relay keys needs to know what to do", {
          hint: "porthole-relay keys list, or keys revoke CLIENT-ID.",
        });
      }
    });
    return 0;
  },
});

function joined(enrollments: Enrollments) {
  return Object.entries(enrollments.keys).map(
    ([fingerprint, { enrolledAt, label, invite, expiresAt, maxNames, revokedAt }]) => ({
      clientId: clientIdOf(fingerprint),
      fingerprint,
      label,
      invite,
      enrolledAt,
      expiresAt,
      maxNames: maxNames ?? maxNamesPerKey,
      revokedAt,
      names: namesOf(enrollments, fingerprint),
    }),
  );
}

interface All {
  readonly joined: ReturnType<typeof joined>;
  readonly authorized: readonly string[];
}

function describe({ joined, authorized }: All, path: string | undefined): string {
  const rows = [
    ...joined.map(({ clientId, enrolledAt, expiresAt, revokedAt, label, names }) => [
      clientId,
      revokedAt === undefined
        ? `joined ${formatDay(enrolledAt)}${expiresAt === undefined ? "" : `, until ${formatDay(expiresAt)}`}`
        : `revoked ${formatDay(revokedAt)}`,
      [label ?? "", ...names.map((name) => `--name ${name}`)].filter((part) => part !== "").join(", "),
    ]),
    ...authorized.map((key) => [key, `in ${path}`, ""]),
  ];
  return rows.length === 0 ? "No client has joined. Make an invite: porthole-relay invite\n" : columns(rows);
}
