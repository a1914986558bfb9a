import { statSync } from "node:fs";
import { join } from "node:path";
import { path, readOptions, type OptionTable, type ReadOptions } from "@porthole/common/options";
import { dataFolder, stateError } from "@porthole/common/util";
import { relayOptions } from "./options.ts";

/**
 * Where every command gets its options from: flags, over environment variables, over the relay's configuration file, over defaults.
 * Throws `usage`, or `state` when the file can't be read.
 */
export function readValues<T extends OptionTable>(
  options: T,
  argv: readonly string[],
  maxPositionals = 0,
): ReadOptions<T> {
  const configFile = { settings: relayOptions, find: findConfigFile };
  return readOptions(options, argv, process.env, { maxPositionals, configFile });
}

/** The one that is named must be there; the one in the state folder may be. */
function findConfigFile(given: (name: string) => string | undefined): string | undefined {
  const named = given("config");
  if (named !== undefined) return path.parse(named);
  const inStateDir = join(path.parse(given("state-dir") ?? dataFolder("porthole-relay")), "relay.toml");
  try {
    return statSync(inStateDir, { throwIfNoEntry: false }) && inStateDir;
  } catch (reason) {
    throw stateError("read", inStateDir, reason);
  }
}
