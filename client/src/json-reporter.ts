import type { Logger } from "@porthole/common/log";
import { PortholeError } from "@porthole/common/errors";
import { visibleJson } from "@porthole/common/util";
import type { Reporter } from "./reporter.ts";

/** One JSON object a line: `event` is state, visit, request or log. */
export function createJsonReporter(write: (text: string) => void): Reporter {
  const print = (event: string, fields: object): void =>
    write(`${visibleJson({ time: new Date().toISOString(), event, ...fields }, { replacer: plain })}\n`);
  const line =
    (level: string) =>
    (fields: object, message: string): void =>
      print("log", { level, message, ...fields });
  const log: Logger = { debug: () => {}, info: line("info"), warn: line("warn"), error: line("error") };
  return {
    log,
    onState: (state) => print("state", state),
    onVisit: (report) => print("visit", report),
    onRequest: (report) => print("request", report),
    close: () => {},
  };
}

/** Errors have no enumerable properties of their own. */
function plain(_key: string, value: unknown): unknown {
  return value instanceof PortholeError ? { code: value.code, message: value.message, hint: value.hint } : value;
}

/** The value as it looks after a journey through JSON. */
export function plainErrors(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, plain));
}
