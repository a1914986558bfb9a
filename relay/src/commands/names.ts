import { PortholeError } from "@porthole/common/errors";
import { clientIdOf, isClientId } from "@porthole/common/identity";
import { friendlyName } from "@porthole/common/protocol";
import { formatDay } from "@porthole/common/util";
import { parseKey, quarantineMs, releaseName, reserveName, type Enrollments } from "../admission/index.ts";
import { defineCommand } from "./command.ts";
import { admissionOptions, columns, withEnrollments } from "./admission-options.ts";

const { signal } = new AbortController();

/** Lists the friendly names, and takes one back; whether or not the relay runs. */
export const names = defineCommand({
  usage: "names list|release NAME|reserve NAME KEY",
  help: "The clients' friendly names",
  example: "porthole-relay names list",
  options: admissionOptions,
  maxPositionals: 3,
  async run(values, [action, name, key]) {
    await withEnrollments(values, async (file) => {
      if (action === "list" && name === undefined) {
        process.stdout.write(values.json ? `${JSON.stringify(listed(file.state))}\n` : describe(file.state));
      } else if (action === "release" && name !== undefined && key === undefined) {
        const canonical = friendlyName(name) ?? name;
        await file.update((enrollments, now) => releaseName(enrollments, canonical, now), signal);
        const days = quarantineMs / (24 * 3_600_000);
        process.stdout.write(
          `${canonical} leads nowhere now; for ${days} days only its last owner can have it again.\n`,
        );
      } else if (action === "reserve" && name !== undefined && key !== undefined) {
        const canonical = friendlyName(name);
        if (canonical === undefined)
          throw new PortholeError("usage", `${JSON.stringify(name)} can't be a client's name`);
        const fingerprint = fingerprintOf(key, file.state);
        await file.update((enrollments, now) => reserveName(enrollments, canonical, fingerprint, now), signal);
        process.stdout.write(`${canonical} is for ${clientIdOf(fingerprint)} and the keys that it vouches for.\n`);
      } else {
        throw new PortholeError("usage", "porthole-relay names needs to know what to do", {
          hint: "porthole-relay names list, names release NAME, or names reserve NAME KEY.",
        });
      }
    });
    return 0;
  },
});

/** A client id is the beginning of a fingerprint, so it has to be one that has joined. Throws `usage`. */
function fingerprintOf(text: string, enrollments: Enrollments): string {
  const key = parseKey(text);
  const found = isClientId(key) ? Object.keys(enrollments.keys).find((each) => clientIdOf(each) === key) : key;
  if (found !== undefined) return found;
  throw new PortholeError("usage", `No key ${key} has joined by an invite`, {
    hint: "Give the whole fingerprint (porthole identity show), or one of porthole-relay keys list.",
  });
}

function listed(enrollments: Enrollments) {
  return Object.entries(enrollments.names).map(([name, { fingerprint, grantedAt, releasedAt, isReserved }]) => ({
    name,
    clientId: clientIdOf(fingerprint),
    grantedAt,
    isReserved: isReserved ?? false,
    releasedAt,
    freeAt: releasedAt === undefined ? undefined : releasedAt + quarantineMs,
  }));
}

function describe(enrollments: Enrollments): string {
  const rows = listed(enrollments).map(({ name, clientId, grantedAt, isReserved, freeAt }) => [
    name,
    clientId,
    freeAt === undefined
      ? `${isReserved ? "reserved " : ""}since ${formatDay(grantedAt)}`
      : `released, free for others on ${formatDay(freeAt)}`,
  ]);
  return rows.length === 0 ? "No client has a friendly name.\n" : columns(rows);
}
