import { withFlags } from "@porthole/common/options";
import { pino } from "pino";
import pretty from "pino-pretty";
import type { Logger } from "@porthole/common/log";

/** Lines for people on a terminal, one JSON object a line for programs. */
export function createLogger(options: { readonly json: boolean; readonly level?: string }): Logger {
  const settings = { level: options.level ?? "info", base: null, serializers: { hint: wordHint } };
  if (options.json)
    return pino({
      ...settings,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    });
  return pino(
    settings,
    pretty({ colorize: process.stdout.isTTY, ignore: "pid,hostname", singleLine: true, translateTime: "SYS:HH:MM:ss" }),
  );
}

function wordHint(hint: unknown): unknown {
  return typeof hint === "string" ? withFlags(hint) : hint;
}
