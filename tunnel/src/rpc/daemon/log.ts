import { PortholeError } from "@porthole/common/errors";
import type { Logger } from "@porthole/common/log";
import type { Clock } from "@porthole/common/util";
import type { LogLevel, LogLine } from "../contract/index.ts";

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Whether a level is `lowest` or above. */
export function isAtLeast(level: LogLevel, lowest: LogLevel): boolean {
  return levels.indexOf(level) >= levels.indexOf(lowest);
}

/** A logger whose lines are data. Secrets print themselves masked. */
export function lineLogger(clock: Clock, onLine: (line: LogLine) => void): Logger {
  const write =
    (level: LogLevel) =>
    (fields: object, message: string): void => {
      const plain = plainFields(fields);
      onLine({ level, message, time: clock.now(), ...(Object.keys(plain).length > 0 ? { fields: plain } : {}) });
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function plainFields(fields: object): Record<string, string | number | boolean> {
  const plain: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(fields) as [string, unknown][])
    if (value !== undefined && value !== null) plain[name] = plainValue(value);
  return plain;
}

function plainValue(value: {}): string | number | boolean {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  if (value instanceof Error) return PortholeError.from(value).message;
  return JSON.stringify(value);
}
