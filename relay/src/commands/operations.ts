import { formatInvite } from "@porthole/common/invite";
import type { OptionValues } from "@porthole/common/options";
import { systemClock } from "@porthole/common/util";
import { addBan, parseKey } from "../admission/index.ts";
import type { relayOptions } from "../config/options.ts";
import type { Operations } from "../monitoring/operate.ts";
import { stateDirOf, withEnrollments } from "./admission-options.ts";
import { inviteLabel, makeInvite } from "./make-invite.ts";

const dayMs = 24 * 3_600_000;
const { signal } = new AbortController();

/** Returns the operations of the commands, for the admin page. `disconnect` is the running relay's. */
export function operationsOf(
  values: OptionValues<typeof relayOptions>,
  disconnect: (key: string) => number | Promise<number>,
): Operations {
  return {
    disconnect: (client) => disconnect(parseKey(client)),
    async ban(what, lastsMs) {
      const until = lastsMs === undefined ? undefined : systemClock.now() + lastsMs;
      await withEnrollments(values, (file) =>
        file.update((enrollments, now) => addBan(enrollments, what, now, until), signal),
      );
    },
    async invite(label) {
      const wishes = { uses: 1, expiresMs: dayMs, label: label === undefined ? undefined : inviteLabel.parse(label) };
      const made = await withEnrollments(values, (file) => makeInvite(file, stateDirOf(values), wishes));
      return formatInvite(made, made.joinPage === undefined ? "porthole" : { page: made.joinPage });
    },
  };
}
