import { PortholeError } from "@porthole/common/errors";
import { silentLogger } from "@porthole/common/log";
import { formatHostPort } from "@porthole/common/options";
import { formatMinute, systemClock } from "@porthole/common/util";
import { restoreRecords } from "../cluster/nats/restore.ts";
import { mirrorPathOf, openShared, withoutMember } from "../cluster/shared.ts";
import type { SharedRecords } from "../cluster/shared-records.ts";
import { sharedConfig } from "../config/cluster-config.ts";
import { admissionOptions, columns, stateDirOf } from "./admission-options.ts";
import { defineCommand } from "./command.ts";

const { signal } = new AbortController();

/** Lists the relays of a cluster and takes one out; whether or not a relay runs here. */
export const cluster = defineCommand({
  usage: "cluster list|remove NODE|restore",
  help: "The relays of a cluster",
  example: "porthole-relay cluster list",
  options: admissionOptions,
  maxPositionals: 2,
  async run(values, [action, node]) {
    const shared = sharedConfig(values);
    if (!shared)
      throw new PortholeError("usage", "This relay has no --cluster", {
        hint: "Relays that are named with --peer are in each other's relay.toml.",
      });
    if (action === "restore" && node === undefined) {
      const mirrorPath = mirrorPathOf(stateDirOf(values));
      const count = await restoreRecords({ ...shared, mirrorPath, log: silentLogger });
      process.stdout.write(
        `The engine has ${count} records again. At the other relays move cluster-records.bin away, then start all of them.\n`,
      );
      return 0;
    }
    const ledger = await openShared(shared, { clock: systemClock, log: silentLogger });
    try {
      if (action === "list" && node === undefined) {
        const members = listed(ledger.state);
        process.stdout.write(values.json ? `${JSON.stringify(members)}\n` : describe(members));
      } else if (action === "remove" && node !== undefined && node.length >= 8) {
        await ledger.update((state, now) => withoutMember(state, node, now), signal);
        process.stdout.write(
          "The other relays end its links now. If its secrets may be known, begin a new cluster: docs/cluster.md says how.\n",
        );
      } else {
        throw new PortholeError("usage", "porthole-relay cluster needs to know what to do", {
          hint: "porthole-relay cluster list, cluster remove NODE with the first 8 characters of its key at least, or cluster restore.",
        });
      }
    } finally {
      await ledger.close();
    }
    return 0;
  },
});

function listed({ members }: SharedRecords) {
  return Object.entries(members).map(([node, member]) => ({ node, ...member }));
}

function describe(members: ReturnType<typeof listed>): string {
  if (members.length === 0) return "No relay has joined yet.\n";
  return columns([
    ["NODE", "ADDRESS", "SINCE", "REMOVED"],
    ...members.map(({ node, host, port, joinedAt, removedAt }) => [
      node,
      formatHostPort({ host, port }),
      formatMinute(joinedAt),
      removedAt === undefined ? "" : formatMinute(removedAt),
    ]),
  ]);
}
