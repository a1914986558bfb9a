import { hostPort, withFlags } from "@porthole/common/options";
import { systemClock } from "@porthole/common/util";
import { askRelayIfAny } from "./control.ts";
import { defineCommand } from "./command.ts";
import { relayConfig } from "../config/config.ts";
import { describeChecks, examine } from "../doctor/index.ts";
import { relayOptions } from "../config/options.ts";
import type { RelayReport } from "../monitoring/report.ts";

const dnsPort = 53;

/** Status 1 when something does not work. */
export const doctor = defineCommand({
  usage: "doctor",
  help: "Find out why a relay can't be reached, and what to do",
  example: "porthole-relay doctor",
  options: {
    ...relayOptions,
    json: { ...relayOptions.json, help: "One JSON object", notInFile: true },
    resolver: {
      help: "DNS server to ask instead of the machine's own",
      parse: hostPort(dnsPort),
      notInFile: true,
    },
  },
  async run(values) {
    const config = relayConfig(values);
    const report = (await askRelayIfAny(config.stateDir, "status")) as RelayReport | undefined;
    const checks = await examine(config, {
      clock: systemClock,
      signal: new AbortController().signal,
      running: report?.ports,
      resolver: values.resolver,
    });
    process.stdout.write(values.json ? `${JSON.stringify({ checks })}\n` : withFlags(describeChecks(checks)));
    return checks.some(({ status }) => status === "failed") ? 1 : 0;
  },
});
