import { readOptions } from "@porthole/common/options";
import { relayConfig } from "../config/config.ts";
import { relayOptions } from "../config/options.ts";

/** What holds for a relay with a public name when nothing is set. */
export const testLimits = relayConfig(
  readOptions(relayOptions, ["--domain-suffix", "tunnel.example.com", "--open"], {}).values,
).limits;
