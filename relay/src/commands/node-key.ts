import { silentLogger } from "@porthole/common/log";
import { makeFolder } from "@porthole/common/util";
import { nodeKey } from "../cluster/cluster.ts";
import { admissionOptions, stateDirOf } from "./admission-options.ts";
import { defineCommand } from "./command.ts";

/** `porthole-relay node-key`: what other relays' `--peer` names. */
export const showNodeKey = defineCommand({
  usage: "node-key",
  help: "The key by which other relays of a cluster know this one",
  example: "porthole-relay node-key",
  options: admissionOptions,
  async run(values) {
    const stateDir = stateDirOf(values);
    await makeFolder(stateDir);
    const { fingerprint } = await nodeKey(stateDir, silentLogger);
    process.stdout.write(values.json ? `${JSON.stringify({ node: fingerprint })}\n` : `${fingerprint}\n`);
    return 0;
  },
});
