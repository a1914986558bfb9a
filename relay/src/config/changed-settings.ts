import { Secret } from "@porthole/common/util";
import type { RelayConfig } from "./config.ts";

/** Names of the settings that are not as they were. */
export function changedSettings(before: RelayConfig, after: RelayConfig): (keyof RelayConfig)[] {
  const names = Object.keys({ ...before, ...after }) as (keyof RelayConfig)[];
  return names.filter((name) => comparable(before[name]) !== comparable(after[name]));
}

/** Goes nowhere else: all secrets look alike otherwise. */
function comparable(setting: unknown): string | undefined {
  return JSON.stringify(setting, function (this: Readonly<Record<string, unknown>>, key, shown: unknown) {
    const value = key === "" ? setting : this[key];
    return value instanceof Secret ? { secret: value.reveal() } : shown;
  });
}
