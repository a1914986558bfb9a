import { join } from "node:path";
import { PortholeError } from "@porthole/common/errors";
import { readOptions } from "@porthole/common/options";
import type { StartTrialRelay } from "@porthole/tunnel/rpc/daemon";
import { relayConfig, relayOptions, startRelay } from "@porthole/relay";

/** A relay on loopback, with the public port that was asked for if it is free. */
export const startTrialRelay: StartTrialRelay = async ({ publicPort, stateDir }, context) => {
  const start = (pubPort: number) => {
    const argv = ["--api-port", "0", "--pub-port", String(pubPort), "--state-dir", join(stateDir, "trial-relay")];
    return startRelay(relayConfig(readOptions(relayOptions, argv, {}).values), context);
  };
  try {
    return await start(publicPort);
  } catch (reason) {
    // Another window tries it out, too.
    if (publicPort === 0 || PortholeError.from(reason).code !== "address") throw reason;
    return start(0);
  }
};
