import { readOptions, type OptionTable, type ReadOptions } from "@porthole/common/options";

/** Where every command gets its options from: flags, over environment variables, over defaults. Throws `usage`. */
export function readValues<T extends OptionTable>(
  options: T,
  argv: readonly string[],
  maxPositionals = 0,
): ReadOptions<T> {
  return readOptions(options, argv, process.env, { maxPositionals });
}
