// The relay, changed: as soon as QUIC has so many of an agent's visitors (the first argument), the next ones are led to its standby. The
// other arguments are the relay's own; prints what it prints.
import { readOptions } from "@porthole/common/options";
import { systemClock } from "@porthole/common/util";
import { relayConfig, relayOptions, startRelay } from "@porthole/relay";
import { createLogger } from "../relay/src/monitoring/logger.ts";
import { createRegistry } from "../relay/src/clients/registry.ts";

const [most, ...argv] = process.argv.slice(2);
const log = createLogger({ json: true });
const relay = await startRelay(relayConfig(readOptions(relayOptions, argv, {}).values), {
  clock: systemClock,
  log,
  createRegistry(onAdd) {
    const registry = createRegistry(onAdd);
    return {
      ...registry,
      find(label) {
        const agents = registry.find(label);
        const [best] = agents;
        const isBusy = best?.link.kind === "quic" && best.link.openStreams >= Number(most);
        return isBusy ? [...agents.slice(1), best] : agents;
      },
    };
  },
});
log.info({ fingerprint: relay.fingerprint }, "Relay is ready");
