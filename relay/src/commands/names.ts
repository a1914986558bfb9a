import { PortholeError } from "@porthole/common/errors";
import { clientIdOf } from "@porthole/common/identity";
import { friendlyName } from "@porthole/common/protocol";
import { formatDay } from "@porthole/common/util";
import { quarantineMs, releaseName, type Enrollments } from "../admission/index.ts";
import { defineCommand } from "./command.ts";
import { admissionOptions, columns, withEnrollments } from "./admission-options.ts";

const { signal } = new AbortController();

/** Lists the friendly names, and takes one back; whether or not the relay runs. */
export const names = defineCommand({
  usage: "names list|release NAME",
  help: "The clients' friendly names",
  example: "porthole-relay names list",
  options: admissionOptions,
  maxPositionals: 2,
  async run(values, [action, name]) {
    await withEnrollments(values, async (file) => {
      if (action === "list" && name === undefined) {
        process.stdout.write(values.json ? `${JSON.stringify(listed(file.state))}\n` : describe(file.state));
      } else if (action === "release" && name !== undefined) {
        const canonical = friendlyName(name) ?? name;
        await file.update((enrollments, now) => releaseName(enrollments, canonical, now), signal);
        const days = quarantineMs / (24 * 3_600_000);
        process.stdout.write(
          `${canonical} leads nowhere now; for ${days} days only its last owner can have it again.\n`,
        );
      } else {
        throw new PortholeError("usage", "porthole-relay names needs to know what to do", {
          hint: "porthole-relay names list, or names release NAME.",
        });
      }
    });
    return 0;
  },
});

function listed(enrollments: Enrollments) {
  return Object.entries(enrollments.names).map(([name, { fingerprint, grantedAt, releasedAt }]) => ({
    name,
    clientId: clientIdOf(fingerprint),
    grantedAt,
    releasedAt,
    freeAt: releasedAt === undefined ? undefined : releasedAt + quarantineMs,
  }));
}

function describe(enrollments: Enrollments): string {
  const rows = listed(enrollments).map(({ name, clientId, grantedAt, freeAt }) => [
    name,
    clientId,
    freeAt === undefined ? `since ${formatDay(grantedAt)}` : `released, free for others on ${formatDay(freeAt)}`,
  ]);
  return rows.length === 0 ? "No client has a friendly name.\n" : columns(rows);
}
