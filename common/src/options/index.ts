export { acmeOptions } from "./acme-options.ts";
export { errorLines, exitStatusOf, withFlags } from "./exit-status.ts";
export { formatConfigFile, type ConfigFile } from "./config-file.ts";
export { nearestOf } from "./nearest.ts";
export { describeOption, flagWithValue, helpText } from "./help.ts";
export {
  defineOptions,
  envName,
  flagNames,
  isSwitch,
  type OptionSpec,
  type OptionTable,
  type OptionValues,
} from "./options.ts";
export {
  choice,
  durationMs,
  flag,
  formatHostPort,
  friendlyLabel,
  hex,
  hostPort,
  integer,
  path,
  port,
  text,
  type HostPort,
  type Parser,
} from "./parsers.ts";
export { asksFor, asksForAllHelp, readOptions, type ReadOptions } from "./read-options.ts";
